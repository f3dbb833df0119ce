with runs as (

    select * from {{ ref('fact_pipeline_run') }}
    where run_status <> 'running'

),

counted as (

    select
        run_date,
        pipeline,
        count(*) as runs,
        sum(case when run_status = 'succeeded' then 1 else 0 end) as runs_succeeded,
        sum(case when run_status = 'failed' then 1 else 0 end) as runs_failed,
        sum(case when run_status = 'abandoned' then 1 else 0 end) as runs_abandoned,
        coalesce(sum(duration_seconds), 0) as total_seconds
    from runs
    group by run_date, pipeline

),

-- only a run that went well says how long the pipeline takes
ranked_in_day as (

    select
        run_date,
        pipeline,
        duration_seconds,
        row_number() over (partition by run_date, pipeline order by duration_seconds)
            as duration_rank,
        count(*) over (partition by run_date, pipeline) as durations
    from runs
    where run_status = 'succeeded'

),

-- the one in the middle, or the mean of the two
medians_of_day as (

    select
        run_date,
        pipeline,
        avg(duration_seconds) as median_seconds
    from ranked_in_day
    where 2 * duration_rank between durations and durations + 2
    group by run_date, pipeline

),

ranked_before as (

    select
        counted.run_date,
        counted.pipeline,
        runs.duration_seconds,
        row_number() over (
            partition by counted.run_date, counted.pipeline
            order by runs.duration_seconds
        ) as duration_rank,
        count(*) over (partition by counted.run_date, counted.pipeline) as durations
    from counted
    inner join runs
        on
            counted.pipeline = runs.pipeline
            and counted.run_date > runs.run_date
            and counted.run_date <= {{ dbt.dateadd('day', 28, 'runs.run_date') }}
    where runs.run_status = 'succeeded'

),

medians_before as (

    select
        run_date,
        pipeline,
        avg(duration_seconds) as median_seconds
    from ranked_before
    where 2 * duration_rank between durations and durations + 2
    group by run_date, pipeline

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
