with customers as (

    select * from {{ ref('stg_storefront__customers') }}

),

transactions as (

    select * from {{ ref('stg_storefront__transactions') }}

),

-- Null is one of them: the guest.
buyers as (

    select distinct customer_id
    from transactions
    where deleted_at is null

),

unregistered as (

    select buyers.customer_id
    from buyers
    left join customers on buyers.customer_id = customers.customer_id
    where customers.customer_id is null

),

final as (

    select
        cast({{ surrogate_key(['customer_id']) }} as varchar(32)) as customer_key,
        customer_id,
        customer_code,
        customer_name,
        email,
        phone,
        customer_status,
        created_date,
        modified_date,
        has_email,
        has_bad_created_date,
        has_bad_modified_date,
        {{ bool_literal(true) }} as is_registered,
        {{ to_boolean('deleted_at is not null') }} as is_deleted
    from customers
    union all
    select
        cast({{ surrogate_key(['customer_id']) }} as varchar(32)) as customer_key,
        customer_id,
        null as customer_code,
        null as customer_name,
        null as email,
        null as phone,
        'Unknown' as customer_status,
        null as created_date,
        null as modified_date,
        {{ bool_literal(false) }} as has_email,
        {{ bool_literal(false) }} as has_bad_created_date,
        {{ bool_literal(false) }} as has_bad_modified_date,
        {{ bool_literal(false) }} as is_registered,
        {{ bool_literal(false) }} as is_deleted
    from unregistered

)

select * from final
