select
    -- ids
    batch_id,
    run_id as extract_run_id,

    -- text
    source_name,
    table_name,
    mode as extract_mode,
    status as batch_status,
    error as error_message,

    -- numbers
    rows_loaded,
    rows_deleted,
    rows_restored,

    -- timestamps
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('finished_at') }} as finished_at,
    {{ utc_timestamp('coalesce(finished_at, started_at)') }} as changed_at

from {{ ref('br_operations__extract_batches') }}
