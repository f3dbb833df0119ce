select
    -- ids
    business_entity_id as store_id,
    sales_person_id,

    -- text
    trim(name) as store_name,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__store') }}
