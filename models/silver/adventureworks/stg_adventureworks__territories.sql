select
    -- ids
    territory_id,
    country_region_code as country_code,

    -- text
    name as territory_name,
    territory_group,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__sales_territory') }}
