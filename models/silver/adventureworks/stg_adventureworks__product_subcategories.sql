select
    -- ids
    product_subcategory_id,
    product_category_id,

    -- text
    name as product_subcategory_name,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__product_subcategory') }}
