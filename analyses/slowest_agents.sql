-- Which agents are slow in the newest month that has runs, by the duration that 95 of 100 runs
-- don't exceed, and what the same agent and model took in the month before, if they ran then.
with performance as (

    select * from {{ ref('mart_agent_performance') }}
    where period_type = 'month'

),

agents as (

    select * from {{ ref('dim_agent') }}

),

newest as (

    select
        period_start,
        agent_id,
        model_name,
        finished_runs,
        p50_duration_seconds,
        p95_duration_seconds,
        row_number() over (
            order by coalesce(p95_duration_seconds, 0) desc, agent_id asc, model_name asc
        ) as slowness_rank
    from performance
    where period_start = (select max(months.period_start) from performance as months)

),

final as (

    select
        newest.slowness_rank,
        newest.period_start,
        agents.agent_name,
        agents.agent_type,
        newest.model_name,
        newest.finished_runs,
        newest.p50_duration_seconds,
        newest.p95_duration_seconds,
        previous.p95_duration_seconds as previous_p95_duration_seconds
    from newest
    inner join agents on newest.agent_id = agents.agent_id
    left join performance as previous
        on
            newest.agent_id = previous.agent_id
            and newest.model_name = previous.model_name
            and previous.period_start = {{ dbt.dateadd('month', -1, 'newest.period_start') }}
    where newest.slowness_rank <= 10

)

select * from final
