-- To a cent: the source computes lines with six decimals and orders with four. An order that is
-- being written while its tables are read is looked at when it has settled.
with orders as (

    select
        sales_order_id,
        sub_total,
        updated_at
    from {{ ref('stg_adventureworks__orders') }}
    where deleted_at is null

),

lines as (

    select
        sales_order_id,
        sum(line_total) as line_total,
        max(updated_at) as updated_at
    from {{ ref('stg_adventureworks__order_lines') }}
    where deleted_at is null
    group by sales_order_id

)

select
    orders.sales_order_id,
    orders.sub_total,
    lines.line_total
from orders
left join lines on orders.sales_order_id = lines.sales_order_id
where
    {{ is_settled('orders.updated_at') }}
    and (
        lines.line_total is null
        or (
            {{ is_settled('lines.updated_at') }}
            and abs(orders.sub_total - lines.line_total) >= 0.01
        )
    )
