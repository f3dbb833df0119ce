with extract_runs as (

    select * from {{ ref('int_extract_runs_grouped') }}

),

invocations as (

    select * from {{ ref('stg_operations__dbt_invocations') }}

),

publishes as (

    select * from {{ ref('stg_operations__publishes') }}

),

unioned as (

    select
        extract_run_id as pipeline_run_id,
        'extract' as run_type,
        'extract' as pipeline,
        'extract' as command,
        cast(null as {{ dbt.type_string() }}) as code_version,
        run_status,
        tables_loaded as steps_passed,
        0 as steps_warned,
        tables_failed as steps_failed,
        0 as steps_skipped,
        rows_loaded,
        started_at,
        finished_at,
        changed_at
    from extract_runs
    union all
    select
        invocation_id as pipeline_run_id,
        'dbt' as run_type,
        pipeline,
        command,
        code_version,
        invocation_status as run_status,
        nodes_passed as steps_passed,
        nodes_warned as steps_warned,
        nodes_failed as steps_failed,
        nodes_skipped as steps_skipped,
        null as rows_loaded,
        started_at,
        finished_at,
        changed_at
    from invocations
    union all
    select
        publish_id as pipeline_run_id,
        'publish' as run_type,
        'publish' as pipeline,
        publish_action as command,
        code_version,
        publish_status as run_status,
        case when publish_status = 'succeeded' then published_models end as steps_passed,
        0 as steps_warned,
        case when publish_status = 'failed' then published_models end as steps_failed,
        0 as steps_skipped,
        null as rows_loaded,
        started_at,
        finished_at,
        changed_at
    from publishes

),

-- what was killed never says that it has ended
judged as (

    select
        pipeline_run_id,
        run_type,
        pipeline,
        command,
        code_version,
        case
            when run_status = 'running' and changed_at < {{ abandoned_before() }} then 'abandoned'
            else run_status
        end as run_status,
        coalesce(steps_passed, 0) as steps_passed,
        coalesce(steps_warned, 0) as steps_warned,
        coalesce(steps_failed, 0) as steps_failed,
        coalesce(steps_skipped, 0) as steps_skipped,
        rows_loaded,
        started_at,
        finished_at,
        changed_at
    from unioned

),

-- when it died is not known: what marks it afterwards is the next run
final as (

    select
        pipeline_run_id,
        run_type,
        pipeline,
        command,
        code_version,
        run_status,
        steps_passed,
        steps_warned,
        steps_failed,
        steps_skipped,
        rows_loaded,
        started_at,
        case when run_status in ('succeeded', 'failed') then finished_at end as finished_at,
        cast(
            case
                when run_status in ('succeeded', 'failed')
                    then {{ seconds_between('started_at', 'finished_at') }}
            end as numeric(18, 3)
        ) as duration_seconds,
        changed_at
    from judged

)

select * from final
