select
    -- ids
    address_id,
    state_province_id,

    -- text
    trim(address_line1) as address_line_1,
    nullif(trim(address_line2), '') as address_line_2,
    trim(city) as city_name,
    nullif(trim(postal_code), '') as postal_code,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__address') }}
