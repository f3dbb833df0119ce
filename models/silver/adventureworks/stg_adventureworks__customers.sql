select
    -- ids
    customer_id,
    person_id,
    store_id,
    territory_id,

    -- text
    account_number,
    case when store_id is null then 'Individual' else 'Store' end as customer_type,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__customer') }}
