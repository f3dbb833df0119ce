select
    -- ids
    business_entity_id as person_id,

    -- text
    trim(person_type) as person_type,
    nullif(trim(title), '') as title,
    trim(first_name) as first_name,
    nullif(trim(middle_name), '') as middle_name,
    trim(last_name) as last_name,
    nullif(trim(suffix), '') as suffix,

    -- booleans
    {{ to_boolean('email_promotion > 0') }} as has_email_promotion,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__person') }}
