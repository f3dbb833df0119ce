-- Which agents are slow this month, by the duration that 95 of 100 runs don't exceed, and what the
-- same agent and model took last month.
with performance as (

    select * from {{ ref('mart_agent_performance') }}
    where period_type = 'month'

),

agents as (

    select * from {{ ref('dim_agent') }}

),

ranked as (

    select
        period_start,
        agent_id,
        model_name,
        finished_runs,
        p50_duration_seconds,
        p95_duration_seconds,
        lag(p95_duration_seconds) over (
            partition by agent_id, model_name order by period_start
        ) as previous_p95_duration_seconds,
        dense_rank() over (order by period_start desc) as month_rank,
        row_number() over (
            partition by period_start
            order by coalesce(p95_duration_seconds, 0) desc, agent_id asc, model_name asc
        ) as slowness_rank
    from performance

),

final as (

    select
        ranked.slowness_rank,
        ranked.period_start,
        agents.agent_name,
        agents.agent_type,
        ranked.model_name,
        ranked.finished_runs,
        ranked.p50_duration_seconds,
        ranked.p95_duration_seconds,
        ranked.previous_p95_duration_seconds
    from ranked
    inner join agents on ranked.agent_id = agents.agent_id
    where ranked.month_rank = 1 and ranked.slowness_rank <= 10

)

select * from final
