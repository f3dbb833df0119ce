select
    -- ids
    publish_id,

    -- text
    environment,
    action as publish_action,
    status as publish_status,
    code_version,
    message,

    -- numbers
    generation,
    models as published_models,

    -- timestamps
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('finished_at') }} as finished_at,
    {{ utc_timestamp('recorded_at') }} as changed_at

from {{ ref('br_operations__publishes') }}
