select
    -- ids
    state_province_id,
    country_region_code as country_code,
    territory_id,

    -- text
    trim(state_province_code) as state_province_code,
    name as state_province_name,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__state_province') }}
