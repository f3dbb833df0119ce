select
    -- ids
    country_region_code as country_code,

    -- text
    name as country_name,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__country_region') }}
