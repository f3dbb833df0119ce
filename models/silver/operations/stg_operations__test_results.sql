select
    -- ids
    invocation_id,
    unique_id,
    tested_unique_id,

    -- text
    node_name as test_name,
    case when resource_type = 'unit_test' then 'unit' else 'data' end as test_type,
    test_severity,
    tested_column,
    status as test_status,
    message,

    -- numbers
    failures,
    execution_seconds,

    -- booleans
    {{ to_boolean("status = 'pass'") }} as is_passed,
    {{ to_boolean("status <> 'skipped'") }} as is_evaluated,

    -- timestamps
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('recorded_at') }} as changed_at

from {{ ref('br_operations__dbt_node_results') }}
where resource_type in ('test', 'unit_test')
