with generations as (

    select * from {{ ref('stg_miyabi__code_generations') }}
    where deleted_at is null

),

-- Deleted runs too: what they wrote has been written.
runs as (

    select * from {{ ref('stg_miyabi__agent_runs') }}

),

-- An inner join: a change whose run has not landed waits for it.
final as (

    select
        generations.generation_id,
        generations.run_id,
        runs.agent_id,
        runs.issue_id,
        runs.model_name,
        generations.lines_added,
        generations.lines_removed,
        generations.files_changed,
        {{ to_boolean('generations.is_accepted is not null') }} as is_decided,
        {{ to_boolean(is_true('generations.is_accepted')) }} as is_accepted,
        {{ to_boolean(is_true('generations.has_passed_tests')) }} as has_passed_tests,
        {{ business_date('generations.generated_at') }} as generated_date,
        generations.generated_at,
        generations._batch_id as _generation_batch_id,
        runs._batch_id as _run_batch_id
    from generations
    inner join runs on generations.run_id = runs.run_id

)

select * from final
