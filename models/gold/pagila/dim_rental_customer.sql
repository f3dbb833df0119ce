with customers as (

    select * from {{ ref('stg_pagila__customers') }}

),

addresses as (

    select * from {{ ref('int_addresses_located') }}

),

final as (

    select
        customers.customer_id,
        customers.store_id as home_store_id,
        customers.first_name,
        customers.last_name,
        customers.email,
        addresses.city_name,
        addresses.country_name,
        customers.registered_date,
        customers.is_active,
        {{ to_boolean('customers.deleted_at is not null') }} as is_deleted
    from customers
    left join addresses on customers.address_id = addresses.address_id

)

select * from final
