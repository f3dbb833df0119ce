with customers as (

    select * from {{ ref('dim_customer') }}

),

metrics as (

    select * from {{ ref('int_customer_metrics') }}

),

segments as (

    select * from {{ ref('customer_segments') }}

),

-- A segment ends where the next one begins.
bounded_segments as (

    select
        customer_segment,
        lower_bound,
        lead(lower_bound) over (
            order by lower_bound
        ) as upper_bound
    from segments

),

measured as (

    select
        customers.customer_id,
        customers.customer_type,
        customers.territory_id,
        cast(coalesce(metrics.order_count, 0) as integer) as order_count,
        metrics.first_order_date,
        metrics.last_order_date,
        cast({{ dbt.datediff(
            'metrics.last_order_date', 'cast(' ~ current_utc_timestamp() ~ ' as date)', 'day'
        ) }} as integer) as recency_days,
        cast(coalesce(metrics.lifetime_value, 0) as numeric(18, 2)) as lifetime_value,
        metrics.average_order_value,
        customers.is_deleted
    from customers
    left join metrics on customers.customer_id = metrics.customer_id

),

final as (

    select
        measured.customer_id,
        measured.customer_type,
        measured.territory_id,
        measured.order_count,
        measured.first_order_date,
        measured.last_order_date,
        measured.recency_days,
        measured.lifetime_value,
        measured.average_order_value,
        bounded_segments.customer_segment,
        measured.is_deleted
    from measured
    left join bounded_segments
        on
            measured.lifetime_value >= bounded_segments.lower_bound
            and (
                bounded_segments.upper_bound is null
                or measured.lifetime_value < bounded_segments.upper_bound
            )

)

select * from final
