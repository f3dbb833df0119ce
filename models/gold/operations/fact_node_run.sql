{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['pipeline_run_id', 'unique_id'],
        on_schema_change='fail',
    )
}}

with node_runs as (

    select * from {{ ref('stg_operations__node_runs') }}

),

invocations as (

    select * from {{ ref('stg_operations__dbt_invocations') }}
    where invocation_status <> 'running'

),

-- A run that ended after the invocations were read is left for the next build.
final as (

    select
        node_runs.invocation_id as pipeline_run_id,
        node_runs.unique_id,
        node_runs.node_name,
        node_runs.resource_type,
        invocations.pipeline,
        cast(invocations.started_at as date) as run_date,
        node_runs.node_status,
        node_runs.started_at,
        node_runs.finished_at,
        node_runs.execution_seconds,
        cast(node_runs.rows_affected as bigint) as rows_affected,
        node_runs.message,
        node_runs.changed_at as _changed_at
    from node_runs
    inner join invocations on node_runs.invocation_id = invocations.invocation_id
    {%- if is_incremental() %}
    where {{ recorded_since('node_runs.changed_at', in_this='_changed_at') }}
    {%- endif %}

)

select * from final
