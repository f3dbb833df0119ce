select
    -- ids
    email_address_id,
    business_entity_id as person_id,

    -- text
    nullif(lower(trim(email_address)), '') as email,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at

from {{ ref('br_adventureworks__email_address') }}
where _deleted_at is null
