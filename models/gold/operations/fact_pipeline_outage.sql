-- a freshness check follows each build, and says nothing about whether that works
with runs as (

    select * from {{ ref('fact_pipeline_run') }}
    where run_status <> 'running' and command <> 'source freshness'

),

-- of a run that was killed, only its start is known
ended as (

    select
        pipeline,
        pipeline_run_id,
        run_status,
        run_date,
        coalesce(finished_at, started_at) as ended_at
    from runs

),

-- what ends after a success, up to the next one, has the same number
numbered as (

    select
        pipeline,
        pipeline_run_id,
        run_status,
        run_date,
        ended_at,
        coalesce(
            sum(case when run_status = 'succeeded' then 1 else 0 end) over (
                partition by pipeline
                order by ended_at, pipeline_run_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as outage_number
    from ended

),

outages as (

    select
        pipeline,
        outage_number,
        min(case when run_status <> 'succeeded' then run_date end) as outage_date,
        min(case when run_status <> 'succeeded' then ended_at end) as failed_at,
        max(case when run_status = 'succeeded' then ended_at end) as recovered_at,
        sum(case when run_status <> 'succeeded' then 1 else 0 end) as failed_runs
    from numbered
    group by pipeline, outage_number

),

final as (

    select
        pipeline,
        failed_at,
        outage_date,
        recovered_at,
        cast(failed_runs as integer) as failed_runs,
        cast({{ seconds_between('failed_at', 'recovered_at') }} as numeric(18, 3))
            as seconds_to_recovery
    from outages
    where failed_runs > 0

)

select * from final
