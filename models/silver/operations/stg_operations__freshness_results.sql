select
    -- ids
    invocation_id,
    unique_id,

    -- text
    source_name,
    table_name,
    status as freshness_status,
    message,

    -- numbers
    age_seconds,

    -- booleans
    {{ to_boolean("status <> 'pass'") }} as is_breach,

    -- timestamps
    {{ utc_timestamp('max_loaded_at') }} as max_loaded_at,
    {{ utc_timestamp('snapshotted_at') }} as snapshotted_at

from {{ ref('br_operations__source_freshness_results') }}
