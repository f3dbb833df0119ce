{%- set inputs = ['_line_batch_id', '_order_batch_id', '_price_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['sales_order_id', 'sales_order_line_id'],
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(
            ref('stg_adventureworks__order_lines'), ['sales_order_id', 'sales_order_line_id']
        ) }}",
    )
}}

with order_lines as (

    {{ rows_to_build(ref('int_order_lines_priced'), 'ordered_at', inputs) }}

),

final as (

    select
        sales_order_id,
        sales_order_line_id,
        customer_id,
        product_key,
        product_id,
        territory_id,
        sales_person_id,
        special_offer_id,
        order_date,
        ordered_at,
        order_status,
        is_online,
        is_sale,
        quantity,
        list_price,
        unit_price,
        discount_amount,
        line_total,
        _line_batch_id,
        _order_batch_id,
        _price_batch_id
    from order_lines

)

select * from final
