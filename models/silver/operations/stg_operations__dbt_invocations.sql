select
    -- ids
    invocation_id,

    -- text
    pipeline,
    command,
    selection,
    target_name,
    target_schema,
    dbt_version,
    code_version,
    status as invocation_status,

    -- numbers
    nodes_passed,
    nodes_warned,
    nodes_failed,
    nodes_skipped,

    -- timestamps
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('finished_at') }} as finished_at,
    {{ utc_timestamp('recorded_at') }} as changed_at

from {{ ref('br_operations__dbt_invocations') }}
