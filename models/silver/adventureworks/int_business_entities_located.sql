with entity_addresses as (

    select * from {{ ref('stg_adventureworks__business_entity_addresses') }}

),

address_types as (

    select * from {{ ref('stg_adventureworks__address_types') }}

),

addresses as (

    select * from {{ ref('stg_adventureworks__addresses') }}

),

state_provinces as (

    select * from {{ ref('stg_adventureworks__state_provinces') }}

),

countries as (

    select * from {{ ref('stg_adventureworks__countries') }}

),

-- Where somebody lives, or a store has its office, before where they get parcels or bills.
ranked as (

    select
        entity_addresses.business_entity_id,
        entity_addresses.address_id,
        row_number() over (
            partition by entity_addresses.business_entity_id
            order by
                case address_types.address_type_name
                    when 'Home' then 1
                    when 'Main Office' then 1
                    when 'Primary' then 2
                    when 'Shipping' then 3
                    when 'Billing' then 4
                    else 5
                end,
                entity_addresses.address_id
        ) as address_rank
    from entity_addresses
    left join address_types on entity_addresses.address_type_id = address_types.address_type_id

),

-- An inner join: who has just moved waits for the address to land.
final as (

    select
        ranked.business_entity_id,
        ranked.address_id,
        addresses.city_name,
        addresses.postal_code,
        state_provinces.state_province_name,
        countries.country_code,
        countries.country_name
    from ranked
    inner join addresses on ranked.address_id = addresses.address_id
    left join state_provinces on addresses.state_province_id = state_provinces.state_province_id
    left join countries on state_provinces.country_code = countries.country_code
    where ranked.address_rank = 1

)

select * from final
