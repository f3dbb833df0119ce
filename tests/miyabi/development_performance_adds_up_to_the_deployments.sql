{%- set sums = [
    ('day', 'overall'), ('day', 'services'), ('week', 'overall'), ('week', 'services'),
] -%}

-- Each kind of period, overall and by service, whether the mart has it or not.
with periods as (
    {% for period, scope in sums %}
    select
        '{{ period }}' as period_type,
        '{{ scope }}' as scope,
        coalesce(sum(deployments), 0) as deployments,
        coalesce(sum(failed_deployments), 0) as failed_deployments
    from {{ ref('mart_development_performance') }}
    where
        period_type = '{{ period }}'
        and service_name {{ '=' if scope == 'overall' else '<>' }} 'overall'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

facts as (

    select
        count(*) as deployments,
        coalesce(sum(case when {{ is_true('is_failed_change') }} then 1 else 0 end), 0)
            as failed_deployments
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
