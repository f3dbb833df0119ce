{# The hourly rhythm brings new issues into bronze, so bronze says nothing about a daily fact. -#}
{{ config(group='engineering') }}

with issues as (

    select
        count(*) as issues,
        count(closed_at) as closed_issues,
        sum(lead_time_hours) as lead_time_hours,
        sum(cycle_time_hours) as cycle_time_hours,
        sum(wait_time_hours) as wait_time_hours
    from {{ ref('int_issues_timed') }}

),

facts as (

    select
        count(*) as issues,
        count(closed_at) as closed_issues,
        sum(lead_time_hours) as lead_time_hours,
        sum(cycle_time_hours) as cycle_time_hours,
        sum(wait_time_hours) as wait_time_hours
    from {{ ref('fact_issue_processing') }}

)

select
    issues.issues as silver_issues,
    facts.issues as fact_issues,
    issues.closed_issues as closed_silver_issues,
    facts.closed_issues as closed_fact_issues,
    issues.lead_time_hours as silver_lead_time_hours,
    facts.lead_time_hours as fact_lead_time_hours,
    issues.cycle_time_hours as silver_cycle_time_hours,
    facts.cycle_time_hours as fact_cycle_time_hours,
    issues.wait_time_hours as silver_wait_time_hours,
    facts.wait_time_hours as fact_wait_time_hours
from issues
cross join facts
where
    issues.issues <> facts.issues
    or issues.closed_issues <> facts.closed_issues
    or issues.lead_time_hours <> facts.lead_time_hours
    or issues.cycle_time_hours <> facts.cycle_time_hours
    or issues.wait_time_hours <> facts.wait_time_hours
