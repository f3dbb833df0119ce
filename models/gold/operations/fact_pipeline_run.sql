{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='pipeline_run_id',
        on_schema_change='fail',
    )
}}

with runs as (

    select * from {{ ref('int_pipeline_runs_unioned') }}

),

final as (

    select
        pipeline_run_id,
        run_type,
        pipeline,
        command,
        code_version,
        run_status,
        cast(started_at as date) as run_date,
        started_at,
        finished_at,
        duration_seconds,
        cast(steps_passed as integer) as steps_passed,
        cast(steps_warned as integer) as steps_warned,
        cast(steps_failed as integer) as steps_failed,
        cast(steps_skipped as integer) as steps_skipped,
        cast(rows_loaded as bigint) as rows_loaded,
        changed_at as _changed_at
    from runs
    {%- if is_incremental() %}
    where
        {{ recorded_since('changed_at', in_this='_changed_at') }}
        -- what was running may be dead by now, without a word of it
        or pipeline_run_id in (
            select known.pipeline_run_id
            from {{ this }} as known
            where known.run_status = 'running'
        )
    {%- endif %}

)

select * from final
