-- Each customer's lines are in the fact with the customer who placed the order, and no other's.
-- Each order is rounded to a cent at most once. Customers with an order that is being written while
-- its tables are read are looked at when it has settled.
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

),

unsettled_orders as (

    select sales_order_id
    from {{ ref('stg_adventureworks__orders') }}
    where not {{ is_settled('updated_at') }}
    union
    select sales_order_id
    from {{ ref('stg_adventureworks__order_lines') }}
    where not {{ is_settled('updated_at') }}

),

unsettled_customers as (

    select distinct orders.customer_id
    from {{ ref('stg_adventureworks__orders') }} as orders
    inner join unsettled_orders on orders.sales_order_id = unsettled_orders.sales_order_id

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
left join unsettled_customers
    on coalesce(analytics.customer_id, facts.customer_id) = unsettled_customers.customer_id
where
    unsettled_customers.customer_id is null
    and (
        analytics.customer_id is null
        or analytics.order_count <> coalesce(facts.order_count, 0)
        or abs(analytics.lifetime_value - coalesce(facts.line_total, 0))
        >= 0.01 * (1 + analytics.order_count)
    )
