select
    -- ids
    sales_order_id,
    sales_order_detail_id as sales_order_line_id,
    product_id,
    special_offer_id,

    -- text
    carrier_tracking_number,

    -- numerics
    cast(order_qty as integer) as quantity,
    cast(unit_price as numeric(18, 4)) as unit_price,
    cast(unit_price_discount as numeric(18, 4)) as discount_rate,
    cast(line_total as numeric(18, 4)) as line_total,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_adventureworks__sales_order_detail') }}
