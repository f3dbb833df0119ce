with node_runs as (

    select * from {{ ref('fact_node_run') }}
    where node_status = 'success' and resource_type in ('model', 'snapshot', 'seed')

),

model_days as (

    select
        run_date,
        unique_id,
        min(node_name) as node_name,
        count(*) as runs,
        sum(execution_seconds) as total_seconds
    from node_runs
    group by run_date, unique_id

),

ranked as (

    select
        run_date,
        unique_id,
        node_name,
        runs,
        total_seconds,
        sum(total_seconds) over (partition by run_date) as day_seconds,
        row_number() over (
            partition by run_date
            order by total_seconds desc, unique_id asc
        ) as seconds_rank
    from model_days

),

slowest as (

    select * from ranked
    where seconds_rank <= {{ var('slowest_models_per_day') }}

),

before as (

    select
        slowest.run_date,
        slowest.unique_id,
        sum(model_days.total_seconds) / sum(model_days.runs) as mean_seconds
    from slowest
    inner join model_days
        on
            slowest.unique_id = model_days.unique_id
            and slowest.run_date > model_days.run_date
            and slowest.run_date <= {{ dbt.dateadd('day', 28, 'model_days.run_date') }}
    group by slowest.run_date, slowest.unique_id

),

final as (

    select
        slowest.run_date as date_day,
        cast(slowest.seconds_rank as integer) as seconds_rank,
        slowest.unique_id,
        slowest.node_name,
        cast(slowest.runs as integer) as runs,
        cast(slowest.total_seconds as numeric(18, 3)) as total_seconds,
        cast(slowest.total_seconds / nullif(slowest.day_seconds, 0) as numeric(18, 4))
            as share_of_day,
        cast(slowest.total_seconds / slowest.runs as numeric(18, 3)) as mean_seconds,
        cast(before.mean_seconds as numeric(18, 3)) as mean_seconds_28_days
    from slowest
    left join before
        on slowest.run_date = before.run_date and slowest.unique_id = before.unique_id

)

select * from final
