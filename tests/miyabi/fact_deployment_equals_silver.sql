{{ config(group='engineering') }}

with silver as (

    select * from {{ ref('int_deployments_assessed') }}

),

facts as (

    select * from {{ ref('fact_deployment') }}

)

select
    silver.deployment_id as silver_deployment_id,
    facts.deployment_id as fact_deployment_id
from silver
full join facts on silver.deployment_id = facts.deployment_id
where
    silver.deployment_id is null
    or facts.deployment_id is null
    or silver.is_change <> facts.is_change
    or silver.is_failed_change <> facts.is_failed_change
    or coalesce(silver.lead_time_hours, -1) <> coalesce(facts.lead_time_hours, -1)
    or coalesce(silver.hours_to_restore, -1) <> coalesce(facts.hours_to_restore, -1)
