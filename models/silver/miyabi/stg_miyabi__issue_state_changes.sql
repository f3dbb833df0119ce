select
    -- ids
    change_id,
    issue_id,

    -- text
    from_state as from_state_code,
    to_state as to_state_code,

    -- timestamps
    {{ utc_timestamp('changed_at') }} as changed_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_miyabi__issue_state_changes') }}
