with entity_addresses as (

    select * from {{ ref('stg_adventureworks__business_entity_addresses') }}

),

people as (

    select * from {{ ref('stg_adventureworks__people') }}

),

stores as (

    select * from {{ ref('stg_adventureworks__stores') }}

)

select
    entity_addresses.business_entity_id,
    entity_addresses.address_id
from entity_addresses
left join people on entity_addresses.business_entity_id = people.person_id
left join stores on entity_addresses.business_entity_id = stores.store_id
where
    people.person_id is null
    and stores.store_id is null
