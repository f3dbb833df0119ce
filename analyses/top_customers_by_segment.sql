-- The ten best customers of each segment: whom to call first. Nobody looks at it every day, so it
-- is no model.
with customers as (

    select * from {{ ref('dim_customer') }}

),

analytics as (

    select * from {{ ref('customer_analytics') }}

),

ranked as (

    select
        customer_id,
        customer_segment,
        order_count,
        last_order_date,
        recency_days,
        lifetime_value,
        row_number() over (
            partition by customer_segment
            order by lifetime_value desc, customer_id asc
        ) as segment_rank
    from analytics
    where
        order_count > 0
        and not {{ is_true('is_deleted') }}

),

final as (

    select
        ranked.customer_segment,
        ranked.segment_rank,
        customers.customer_id,
        customers.customer_name,
        customers.customer_type,
        customers.email,
        customers.territory_name,
        ranked.order_count,
        ranked.last_order_date,
        ranked.recency_days,
        ranked.lifetime_value
    from ranked
    inner join customers on ranked.customer_id = customers.customer_id
    where ranked.segment_rank <= 10

)

select * from final
