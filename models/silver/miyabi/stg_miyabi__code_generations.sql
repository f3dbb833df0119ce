select
    -- ids
    generation_id,
    run_id,

    -- numerics
    lines_added,
    lines_removed,
    files_changed,

    -- booleans
    is_accepted,
    tests_passed as has_passed_tests,

    -- timestamps
    {{ utc_timestamp('generated_at') }} as generated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_miyabi__code_generations') }}
