-- What stands where a customer's date should, for those who can ask the customer. The answer is
-- shorter after each correction at the source.
with customers as (

    select * from {{ ref('dim_storefront_customer') }}

),

as_written as (

    select * from {{ ref('br_storefront__customers') }}

),

final as (

    select
        customers.customer_id,
        customers.customer_code,
        case
            when {{ is_true('customers.has_bad_created_date') }} then as_written.created_date
        end as bad_created_date,
        case
            when {{ is_true('customers.has_bad_modified_date') }} then as_written.modified_date
        end as bad_modified_date
    from customers
    inner join as_written on customers.customer_id = as_written.customer_id
    where
        not {{ is_true('customers.is_deleted') }}
        and (
            {{ is_true('customers.has_bad_created_date') }}
            or {{ is_true('customers.has_bad_modified_date') }}
        )

)

select * from final
