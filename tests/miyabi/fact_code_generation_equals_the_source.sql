with source_generations as (

    select
        generation_id,
        lines_added + lines_removed as changed_lines,
        {{ utc_timestamp('generated_at') }} as generated_at
    from {{ ref('br_miyabi__code_generations') }}
    where _deleted_at is null

),

facts as (

    select
        generation_id,
        lines_added + lines_removed as changed_lines
    from {{ ref('fact_code_generation') }}

)

select
    source_generations.generation_id as source_generation_id,
    facts.generation_id as fact_generation_id,
    source_generations.changed_lines as source_changed_lines,
    facts.changed_lines as fact_changed_lines
from source_generations
full join facts on source_generations.generation_id = facts.generation_id
where
    source_generations.generation_id is null
    or source_generations.changed_lines <> facts.changed_lines
    -- A change that has just been proposed may wait for its run.
    or (facts.generation_id is null and {{ is_settled('source_generations.generated_at') }})
