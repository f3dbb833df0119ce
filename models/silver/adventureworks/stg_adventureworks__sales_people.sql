select
    -- ids
    business_entity_id as sales_person_id,
    territory_id,

    -- numerics
    cast(sales_quota as numeric(18, 2)) as sales_quota,
    cast(bonus as numeric(18, 2)) as bonus,
    cast(commission_pct as numeric(18, 4)) as commission_rate,

    -- timestamps
    cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_adventureworks__sales_person') }}
