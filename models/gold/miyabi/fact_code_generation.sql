{%- set inputs = ['_generation_batch_id', '_run_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='generation_id',
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(ref('stg_miyabi__code_generations'), ['generation_id']) }}",
    )
}}

with generations as (

    {{ rows_to_build(ref('int_code_generations_attributed'), 'generated_at', inputs) }}

),

final as (

    select
        generation_id,
        run_id,
        agent_id,
        issue_id,
        model_name,
        lines_added,
        lines_removed,
        files_changed,
        is_decided,
        is_accepted,
        has_passed_tests,
        generated_date,
        generated_at,
        _generation_batch_id,
        _run_batch_id
    from generations

)

select * from final
