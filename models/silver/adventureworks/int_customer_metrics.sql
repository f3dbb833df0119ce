with orders as (

    select * from {{ ref('stg_adventureworks__orders') }}

),

final as (

    select
        customer_id,
        cast(count(*) as integer) as order_count,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        cast(sum(sub_total) as numeric(18, 2)) as lifetime_value,
        cast(sum(sub_total) / count(*) as numeric(18, 2)) as average_order_value
    from orders
    where
        {{ is_true('is_sale') }}
        and deleted_at is null
    group by customer_id

)

select * from final
