select
    -- ids
    issue_id,

    -- text
    trim(title) as title,
    lower(priority) as priority,
    nullif({{ array_to_text('labels') }}, '') as labels,
    state as state_code,
    lower(reporter_email) as reporter_email,

    -- timestamps
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('closed_at') }} as closed_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_miyabi__issues') }}
