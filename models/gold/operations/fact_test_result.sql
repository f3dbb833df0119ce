{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['pipeline_run_id', 'unique_id'],
        on_schema_change='fail',
    )
}}

with test_results as (

    select * from {{ ref('stg_operations__test_results') }}

),

invocations as (

    select * from {{ ref('stg_operations__dbt_invocations') }}
    where invocation_status <> 'running'

),

-- A run that ended after the invocations were read is left for the next build.
final as (

    select
        test_results.invocation_id as pipeline_run_id,
        test_results.unique_id,
        test_results.test_name,
        test_results.test_type,
        test_results.test_severity,
        test_results.tested_unique_id,
        test_results.tested_column,
        invocations.pipeline,
        cast(invocations.started_at as date) as run_date,
        test_results.test_status,
        test_results.is_passed,
        test_results.is_evaluated,
        cast(test_results.failures as bigint) as failures,
        test_results.execution_seconds,
        test_results.message,
        test_results.changed_at as _changed_at
    from test_results
    inner join invocations on test_results.invocation_id = invocations.invocation_id
    {%- if is_incremental() %}
    where {{ recorded_since('test_results.changed_at', in_this='_changed_at') }}
    {%- endif %}

)

select * from final
