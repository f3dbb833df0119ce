with runs as (

    select * from {{ ref('stg_miyabi__agent_runs') }}
    where deleted_at is null

),

models as (

    select * from {{ ref('llm_models') }}

),

outcomes as (

    select * from {{ ref('run_outcomes') }}

),

priced as (

    select
        runs.run_id,
        runs.agent_id,
        runs.issue_id,
        runs.agent_type,
        runs.model_name,
        runs.outcome,
        runs.input_tokens,
        runs.output_tokens,
        runs.recorded_cost_usd,
        -- Of narrow numbers: T-SQL leaves quotients of wide ones six digits, and cuts the rest off.
        (
            cast(runs.input_tokens as numeric(12, 0)) * models.input_usd_per_million
            + cast(runs.output_tokens as numeric(12, 0)) * models.output_usd_per_million
        ) / 1000000 as estimated_cost_usd,
        outcomes.is_success,
        runs.started_at,
        runs.finished_at,
        runs._batch_id
    from runs
    left join models on runs.model_name = models.model_name
    left join outcomes on runs.outcome = outcomes.outcome

),

final as (

    select
        run_id,
        agent_id,
        issue_id,
        agent_type,
        model_name,
        outcome,
        {{ to_boolean('finished_at is not null') }} as is_finished,
        {{ to_boolean(is_true('is_success')) }} as is_successful,
        {{ to_boolean('recorded_cost_usd is null and estimated_cost_usd is not null') }}
            as is_cost_estimated,
        coalesce(input_tokens, 0) as input_tokens,
        coalesce(output_tokens, 0) as output_tokens,
        cast(coalesce(recorded_cost_usd, estimated_cost_usd) as numeric(18, 6)) as cost_usd,
        cast(
            case
                when finished_at >= started_at
                    then {{ seconds_between('started_at', 'finished_at') }}
            end as numeric(18, 2)
        ) as duration_seconds,
        {{ business_date('started_at') }} as started_date,
        started_at,
        finished_at,
        _batch_id as _run_batch_id
    from priced

)

select * from final
