with health as (

    select
        coalesce(sum(runs), 0) as runs,
        coalesce(sum(total_seconds), 0) as seconds,
        coalesce(sum(tests_passed), 0) as tests_passed
    from {{ ref('mart_pipeline_health') }}

),

runs as (

    select
        coalesce(sum(case when command <> 'source freshness' then 1 else 0 end), 0) as runs,
        coalesce(sum(duration_seconds), 0) as seconds
    from {{ ref('fact_pipeline_run') }}
    where run_status <> 'running'

),

test_results as (

    select count(*) as tests_passed
    from {{ ref('fact_test_result') }}
    where {{ is_true('is_passed') }} and test_type = 'data'

)

select
    health.runs as health_runs,
    runs.runs as fact_runs,
    health.seconds as health_seconds,
    runs.seconds as fact_seconds,
    health.tests_passed as health_tests_passed,
    test_results.tests_passed as fact_tests_passed
from health
cross join runs
cross join test_results
where
    health.runs <> runs.runs
    or health.seconds <> runs.seconds
    or health.tests_passed <> test_results.tests_passed
