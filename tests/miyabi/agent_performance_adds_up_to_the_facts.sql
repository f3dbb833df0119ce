{%- set periods = ['day', 'month'] -%}

-- Each kind of period, whether the mart has it or not.
with periods as (
    {% for period in periods %}
    select
        '{{ period }}' as period_type,
        coalesce(sum(runs), 0) as runs,
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(accepted_changes), 0) as accepted_changes
    from {{ ref('mart_agent_performance') }}
    where period_type = '{{ period }}'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

runs as (

    select
        count(*) as runs,
        coalesce(sum(cost_usd), 0) as cost_usd
    from {{ ref('fact_agent_execution') }}

),

-- Of the runs that are there: code may outlive its run.
changes as (

    select
        coalesce(sum(case when {{ is_true('generations.is_accepted') }} then 1 else 0 end), 0)
            as accepted_changes
    from {{ ref('fact_code_generation') }} as generations
    inner join {{ ref('fact_agent_execution') }} as executions
        on generations.run_id = executions.run_id

)

select
    periods.period_type,
    periods.runs as period_runs,
    runs.runs as fact_runs,
    periods.cost_usd as period_cost_usd,
    runs.cost_usd as fact_cost_usd,
    periods.accepted_changes as period_accepted_changes,
    changes.accepted_changes as fact_accepted_changes
from periods
cross join runs
cross join changes
where
    periods.runs <> runs.runs
    or periods.cost_usd <> runs.cost_usd
    or periods.accepted_changes <> changes.accepted_changes
