with customers as (

    select * from {{ ref('int_customers_identified') }}

),

territories as (

    select * from {{ ref('stg_adventureworks__territories') }}

),

final as (

    select
        customers.customer_id,
        customers.account_number,
        customers.customer_type,
        customers.customer_name,
        customers.first_name,
        customers.last_name,
        customers.email,
        customers.city_name,
        customers.postal_code,
        customers.state_province_name,
        customers.country_code,
        customers.country_name,
        customers.territory_id,
        territories.territory_name,
        customers.sales_person_id,
        {{ to_boolean('customers.deleted_at is not null') }} as is_deleted
    from customers
    left join territories on customers.territory_id = territories.territory_id

)

select * from final
