with periods as (

    select
        period_type,
        case when service_name = 'overall' then 'overall' else 'services' end as scope,
        sum(deployments) as deployments,
        sum(failed_deployments) as failed_deployments
    from {{ ref('mart_development_performance') }}
    group by
        period_type,
        case when service_name = 'overall' then 'overall' else 'services' end

),

facts as (

    select
        count(*) as deployments,
        sum(case when {{ is_true('is_failed_change') }} then 1 else 0 end) as failed_deployments
    from {{ ref('fact_deployment') }}
    where {{ is_true('is_production') }} and {{ is_true('is_change') }}

)

select
    periods.period_type,
    periods.scope,
    periods.deployments as period_deployments,
    facts.deployments as fact_deployments,
    periods.failed_deployments as failed_period_deployments,
    facts.failed_deployments as failed_fact_deployments
from periods
cross join facts
where
    periods.deployments <> facts.deployments
    or periods.failed_deployments <> facts.failed_deployments
