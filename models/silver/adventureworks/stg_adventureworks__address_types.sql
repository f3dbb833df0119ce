select
    -- ids
    address_type_id,

    -- text
    name as address_type_name,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__address_type') }}
