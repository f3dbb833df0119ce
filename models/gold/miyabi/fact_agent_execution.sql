{%- set inputs = ['_run_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='run_id',
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(ref('stg_miyabi__agent_runs'), ['run_id']) }}",
    )
}}

with runs as (

    {{ rows_to_build(ref('int_agent_runs_costed'), 'started_at', inputs) }}

),

final as (

    select
        run_id,
        agent_id,
        issue_id,
        agent_type,
        model_name,
        outcome,
        is_finished,
        is_successful,
        is_cost_estimated,
        input_tokens,
        output_tokens,
        cost_usd,
        duration_seconds,
        started_date,
        started_at,
        finished_at,
        _run_batch_id
    from runs

)

select * from final
