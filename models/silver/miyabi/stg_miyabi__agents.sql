select
    -- ids
    agent_id,

    -- text
    agent_name,
    agent_type,
    lower(maintainer_email) as maintainer_email,

    -- booleans
    is_enabled,

    -- timestamps
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_miyabi__agents') }}
