select
    -- ids
    special_offer_id,

    -- text
    description as special_offer_name,
    type as offer_type,
    category as offer_category,

    -- numerics
    cast(discount_pct as numeric(18, 4)) as discount_rate,
    cast(min_qty as integer) as minimum_quantity,
    cast(max_qty as integer) as maximum_quantity,

    -- dates
    cast(start_date as date) as start_date,
    cast(end_date as date) as end_date,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__special_offer') }}
