select
    -- ids
    invocation_id,
    unique_id,

    -- text
    node_name,
    resource_type,
    status as node_status,
    message,

    -- numbers
    execution_seconds,
    rows_affected,

    -- timestamps
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('finished_at') }} as finished_at,
    {{ utc_timestamp('recorded_at') }} as changed_at

from {{ ref('br_operations__dbt_node_results') }}
where resource_type not in ('test', 'unit_test')
