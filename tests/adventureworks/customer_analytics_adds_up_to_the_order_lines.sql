-- Each customer's lines are in the fact with the customer who placed the order, and no other's.
-- Each order is rounded to a cent at most once.
with analytics as (

    select
        customer_id,
        order_count,
        lifetime_value
    from {{ ref('customer_analytics') }}

),

facts as (

    select
        customer_id,
        count(distinct sales_order_id) as order_count,
        sum(line_total) as line_total
    from {{ ref('fact_sales_order_line') }}
    where {{ is_true('is_sale') }}
    group by customer_id

)

select
    analytics.customer_id,
    facts.customer_id as fact_customer_id,
    analytics.order_count,
    facts.order_count as fact_order_count,
    analytics.lifetime_value,
    facts.line_total
from analytics
full join facts on analytics.customer_id = facts.customer_id
where
    analytics.customer_id is null
    or analytics.order_count <> coalesce(facts.order_count, 0)
    or abs(analytics.lifetime_value - coalesce(facts.line_total, 0))
    >= 0.01 * (1 + analytics.order_count)
