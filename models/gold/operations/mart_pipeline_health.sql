with days as (

    select * from {{ ref('metrics_daily_pipeline_runs') }}

),

runs as (

    select * from {{ ref('fact_pipeline_run') }}

),

test_results as (

    select * from {{ ref('fact_test_result') }}

),

freshness_results as (

    select * from {{ ref('stg_operations__freshness_results') }}

),

outages as (

    select * from {{ ref('fact_pipeline_outage') }}

),

node_runs as (

    select * from {{ ref('fact_node_run') }}
    where node_status = 'success' and resource_type in ('model', 'snapshot', 'seed')

),

severity_weights as (

    select * from {{ ref('test_severity_weights') }}

),

cost_rates as (

    select * from {{ ref('pipeline_cost_rates') }}

),

-- what was skipped says nothing about the data, nor does a unit test
tested as (

    select
        test_results.run_date,
        test_results.pipeline,
        count(*) as tests,
        sum(case when {{ is_true('test_results.is_passed') }} then 1 else 0 end) as tests_passed,
        sum(severity_weights.weight) as weight,
        sum(
            case
                when {{ is_true('test_results.is_passed') }} then severity_weights.weight else 0
            end
        ) as weight_passed
    from test_results
    inner join severity_weights on test_results.test_severity = severity_weights.severity
    where {{ is_true('test_results.is_evaluated') }} and test_results.test_type = 'data'
    group by test_results.run_date, test_results.pipeline

),

breached as (

    select
        runs.run_date,
        runs.pipeline,
        count(distinct freshness_results.unique_id) as freshness_breaches
    from freshness_results
    inner join runs on freshness_results.invocation_id = runs.pipeline_run_id
    where {{ is_true('freshness_results.is_breach') }}
    group by runs.run_date, runs.pipeline

),

recovered as (

    select
        outage_date,
        pipeline,
        count(*) as outages,
        avg(seconds_to_recovery) as seconds_to_recovery
    from outages
    group by outage_date, pipeline

),

model_days as (

    select
        run_date,
        pipeline,
        unique_id,
        min(node_name) as node_name,
        sum(execution_seconds) as total_seconds
    from node_runs
    group by run_date, pipeline, unique_id

),

ranked as (

    select
        run_date,
        pipeline,
        node_name,
        total_seconds,
        row_number() over (
            partition by run_date, pipeline
            order by total_seconds desc, unique_id asc
        ) as seconds_rank
    from model_days

),

slowest as (

    select * from ranked
    where seconds_rank = 1

),

final as (

    select
        days.date_day,
        days.pipeline,
        days.runs,
        days.runs_succeeded,
        days.runs_failed,
        days.runs_abandoned,
        cast(1.0 * days.runs_succeeded / nullif(days.runs, 0) as numeric(18, 4)) as success_rate,
        days.median_seconds,
        days.median_seconds_28_days,
        cast(
            days.median_seconds / nullif(days.median_seconds_28_days, 0) as numeric(18, 2)
        ) as duration_ratio,
        cast(coalesce(tested.tests, 0) as integer) as tests,
        cast(coalesce(tested.tests_passed, 0) as integer) as tests_passed,
        cast(100.0 * tested.weight_passed / tested.weight as numeric(18, 2))
            as data_quality_score,
        cast(coalesce(breached.freshness_breaches, 0) as integer) as freshness_breaches,
        cast(coalesce(recovered.outages, 0) as integer) as outages,
        cast(recovered.seconds_to_recovery as numeric(18, 0)) as mean_seconds_to_recovery,
        slowest.node_name as slowest_model,
        cast(slowest.total_seconds as numeric(18, 3)) as slowest_model_seconds,
        days.total_seconds,
        cast(
            days.total_seconds * coalesce(cost_rates.cost_per_hour, default_rate.cost_per_hour)
            / 3600 as numeric(18, 4)
        ) as estimated_cost
    from days
    left join tested
        on days.date_day = tested.run_date and days.pipeline = tested.pipeline
    left join breached
        on days.date_day = breached.run_date and days.pipeline = breached.pipeline
    left join recovered
        on days.date_day = recovered.outage_date and days.pipeline = recovered.pipeline
    left join slowest
        on days.date_day = slowest.run_date and days.pipeline = slowest.pipeline
    left join cost_rates on days.pipeline = cost_rates.pipeline
    left join cost_rates as default_rate on default_rate.pipeline = 'default'

)

select * from final
