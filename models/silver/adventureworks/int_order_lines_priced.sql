with order_lines as (

    select * from {{ ref('stg_adventureworks__order_lines') }}

),

orders as (

    select * from {{ ref('stg_adventureworks__orders') }}

),

prices as (

    select * from {{ ref('int_product_prices_versioned') }}

),

-- Inner joins: a line whose order or product has not landed waits for it.
final as (

    select
        order_lines.sales_order_id,
        order_lines.sales_order_line_id,
        orders.customer_id,
        prices.product_key,
        order_lines.product_id,
        orders.territory_id,
        orders.sales_person_id,
        order_lines.special_offer_id,
        orders.order_date,
        orders.ordered_at,
        orders.order_status,
        orders.is_online,
        orders.is_sale,
        order_lines.quantity,
        prices.list_price,
        order_lines.unit_price,
        cast(
            order_lines.quantity * order_lines.unit_price - order_lines.line_total
            as numeric(18, 4)
        ) as discount_amount,
        order_lines.line_total,
        order_lines._batch_id as _line_batch_id,
        orders._batch_id as _order_batch_id,
        prices._batch_id as _price_batch_id
    from order_lines
    inner join orders on order_lines.sales_order_id = orders.sales_order_id
    inner join prices
        on
            order_lines.product_id = prices.product_id
            and orders.ordered_at >= prices.valid_from
            and (prices.valid_to is null or orders.ordered_at < prices.valid_to)
    where
        order_lines.deleted_at is null
        and orders.deleted_at is null

)

select * from final
