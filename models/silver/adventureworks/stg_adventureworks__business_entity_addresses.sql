select
    -- ids
    business_entity_id,
    address_id,
    address_type_id,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at

from {{ ref('br_adventureworks__business_entity_address') }}
where _deleted_at is null
