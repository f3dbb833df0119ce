with source_deployments as (

    select count(*) as deployments
    from {{ ref('br_miyabi__deployments') }}
    where _deleted_at is null

),

-- An incident may outlive its deployment, which takes it out of the fact.
source_incidents as (

    select count(*) as incidents
    from {{ ref('br_miyabi__incidents') }} as incidents
    inner join {{ ref('br_miyabi__deployments') }} as deployments
        on incidents.deployment_id = deployments.deployment_id
    where incidents._deleted_at is null and deployments._deleted_at is null

),

facts as (

    select
        count(*) as deployments,
        coalesce(sum(incidents), 0) as incidents
    from {{ ref('fact_deployment') }}

)

select
    source_deployments.deployments as source_deployments,
    facts.deployments as fact_deployments,
    source_incidents.incidents as source_incidents,
    facts.incidents as fact_incidents
from source_deployments
cross join source_incidents
cross join facts
where
    source_deployments.deployments <> facts.deployments
    or source_incidents.incidents <> facts.incidents
