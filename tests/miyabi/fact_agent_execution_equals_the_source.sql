with source_runs as (

    select
        count(*) as runs,
        sum(cost_usd) as recorded_cost_usd
    from {{ ref('br_miyabi__agent_runs') }}
    where _deleted_at is null

),

facts as (

    select
        count(*) as runs,
        sum(
            case when not {{ is_true('is_cost_estimated') }} then cost_usd end
        ) as recorded_cost_usd
    from {{ ref('fact_agent_execution') }}

)

select
    source_runs.runs as source_runs,
    facts.runs as fact_runs,
    source_runs.recorded_cost_usd as source_cost_usd,
    facts.recorded_cost_usd as fact_cost_usd
from source_runs
cross join facts
where
    source_runs.runs <> facts.runs
    or source_runs.recorded_cost_usd <> facts.recorded_cost_usd
