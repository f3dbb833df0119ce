select
    -- ids
    incident_id,
    deployment_id,

    -- text
    service as service_name,
    severity,

    -- timestamps
    {{ utc_timestamp('opened_at') }} as opened_at,
    {{ utc_timestamp('resolved_at') }} as resolved_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_miyabi__incidents') }}
