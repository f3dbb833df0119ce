with source_generations as (

    select
        count(*) as generations,
        sum(lines_added + lines_removed) as changed_lines
    from {{ ref('br_miyabi__code_generations') }}
    where _deleted_at is null

),

facts as (

    select
        count(*) as generations,
        sum(lines_added + lines_removed) as changed_lines
    from {{ ref('fact_code_generation') }}

)

select
    source_generations.generations as source_generations,
    facts.generations as fact_generations,
    source_generations.changed_lines as source_changed_lines,
    facts.changed_lines as fact_changed_lines
from source_generations
cross join facts
where
    source_generations.generations <> facts.generations
    or source_generations.changed_lines <> facts.changed_lines
