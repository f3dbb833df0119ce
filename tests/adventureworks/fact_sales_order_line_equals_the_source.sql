with source_lines as (

    select
        sales_order_id,
        sales_order_detail_id,
        modified_date
    from {{ ref('br_adventureworks__sales_order_detail') }}
    where _deleted_at is null

),

facts as (

    select
        sales_order_id,
        sales_order_line_id
    from {{ ref('fact_sales_order_line') }}

)

select
    source_lines.sales_order_detail_id as source_line_id,
    facts.sales_order_line_id as fact_line_id
from source_lines
full join facts
    on
        source_lines.sales_order_id = facts.sales_order_id
        and source_lines.sales_order_detail_id = facts.sales_order_line_id
where
    source_lines.sales_order_detail_id is null
    -- A line that has just been written may wait for its order.
    or (facts.sales_order_line_id is null and {{ is_settled('source_lines.modified_date') }})
