select
    -- ids
    product_id,
    product_subcategory_id,

    -- text
    trim(name) as product_name,
    product_number,
    color,
    size as product_size,
    case trim(product_line)
        when 'R' then 'Road'
        when 'M' then 'Mountain'
        when 'T' then 'Touring'
        when 'S' then 'Standard'
    end as product_line,

    -- numerics
    cast(standard_cost as numeric(18, 4)) as standard_cost,
    cast(list_price as numeric(18, 4)) as list_price,

    -- booleans
    make_flag as is_made_in_house,
    finished_goods_flag as is_for_sale,
    {{ to_boolean('discontinued_date is not null') }} as is_discontinued,

    -- dates
    cast(sell_start_date as date) as sell_start_date,
    cast(sell_end_date as date) as sell_end_date,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_adventureworks__product') }}
