select
    -- ids
    deployment_id,

    -- text
    service as service_name,
    lower(trim(environment)) as environment,
    commit_sha,
    status,

    -- timestamps
    {{ utc_timestamp('committed_at') }} as committed_at,
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('finished_at') }} as finished_at,
    {{ utc_timestamp('restored_at') }} as restored_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_miyabi__deployments') }}
