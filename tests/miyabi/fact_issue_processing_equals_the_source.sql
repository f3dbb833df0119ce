with source_issues as (

    select
        count(*) as issues,
        count(closed_at) as closed_issues
    from {{ ref('br_miyabi__issues') }}
    where _deleted_at is null

),

facts as (

    select
        count(*) as issues,
        count(closed_at) as closed_issues
    from {{ ref('fact_issue_processing') }}

)

select
    source_issues.issues as source_issues,
    facts.issues as fact_issues,
    source_issues.closed_issues as source_closed_issues,
    facts.closed_issues as fact_closed_issues
from source_issues
cross join facts
where
    source_issues.issues <> facts.issues
    or source_issues.closed_issues <> facts.closed_issues
