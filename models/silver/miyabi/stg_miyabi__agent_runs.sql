select
    -- ids
    run_id,
    agent_id,
    issue_id,

    -- text
    agent_type,
    lower(trim(model)) as model_name,
    outcome,

    -- numerics
    input_tokens,
    output_tokens,
    cast(cost_usd as numeric(18, 6)) as recorded_cost_usd,

    -- timestamps
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('finished_at') }} as finished_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_miyabi__agent_runs') }}
