with runs as (

    select * from {{ ref('fact_pipeline_run') }}
    where run_status <> 'running'

),

-- a freshness check takes time, but builds nothing: it ends neither well nor badly
judged as (

    select
        run_date,
        pipeline,
        duration_seconds,
        case when command <> 'source freshness' then run_status end as run_status
    from runs

),

counted as (

    select
        run_date,
        pipeline,
        count(run_status) as runs,
        sum(case when run_status = 'succeeded' then 1 else 0 end) as runs_succeeded,
        sum(case when run_status = 'failed' then 1 else 0 end) as runs_failed,
        sum(case when run_status = 'abandoned' then 1 else 0 end) as runs_abandoned,
        coalesce(sum(duration_seconds), 0) as total_seconds
    from judged
    group by run_date, pipeline

),

-- only a run that went well says how long the pipeline takes
succeeded as (

    select * from judged
    where run_status = 'succeeded'

),

medians_of_day as (

    {{ percentiles(
        'succeeded', ['run_date', 'pipeline'], 'duration_seconds', {'median_seconds': 0.5}
    ) | indent }}

),

succeeded_before as (

    select
        counted.run_date,
        counted.pipeline,
        succeeded.duration_seconds
    from counted
    inner join succeeded
        on
            counted.pipeline = succeeded.pipeline
            and counted.run_date > succeeded.run_date
            and counted.run_date <= {{ dbt.dateadd('day', 28, 'succeeded.run_date') }}

),

medians_before as (

    {{ percentiles(
        'succeeded_before', ['run_date', 'pipeline'], 'duration_seconds', {'median_seconds': 0.5}
    ) | indent }}

),

final as (

    select
        counted.run_date as date_day,
        counted.pipeline,
        cast(counted.runs as integer) as runs,
        cast(counted.runs_succeeded as integer) as runs_succeeded,
        cast(counted.runs_failed as integer) as runs_failed,
        cast(counted.runs_abandoned as integer) as runs_abandoned,
        cast(counted.total_seconds as numeric(18, 3)) as total_seconds,
        cast(medians_of_day.median_seconds as numeric(18, 3)) as median_seconds,
        cast(medians_before.median_seconds as numeric(18, 3)) as median_seconds_28_days
    from counted
    left join medians_of_day
        on
            counted.run_date = medians_of_day.run_date
            and counted.pipeline = medians_of_day.pipeline
    left join medians_before
        on
            counted.run_date = medians_before.run_date
            and counted.pipeline = medians_before.pipeline

)

select * from final
