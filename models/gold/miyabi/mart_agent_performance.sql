{%- set days_into_month = date_part('day', 'started_date') -%}
{%- set first_of_month = dbt.dateadd('day', '1 - ' ~ days_into_month, 'started_date') -%}
{%- set periods = ['day', 'month'] -%}

with runs as (

    select * from {{ ref('fact_agent_execution') }}

),

code_generations as (

    select * from {{ ref('fact_code_generation') }}

),

changes_per_run as (

    select
        run_id,
        count(*) as changes,
        sum(case when {{ is_true('is_accepted') }} then 1 else 0 end) as accepted_changes
    from code_generations
    group by run_id

),

-- Code counts when its run started, however much later it is accepted.
dated as (

    select
        runs.started_date as day_start,
        cast({{ first_of_month }} as date) as month_start,
        runs.agent_id,
        runs.model_name,
        runs.is_finished,
        runs.is_successful,
        runs.duration_seconds,
        runs.input_tokens + runs.output_tokens as tokens,
        runs.cost_usd,
        changes_per_run.changes,
        changes_per_run.accepted_changes
    from runs
    left join changes_per_run on runs.run_id = changes_per_run.run_id

),

counted_per_day as (

    select
        day_start,
        month_start,
        agent_id,
        model_name,
        count(*) as runs,
        sum(case when {{ is_true('is_finished') }} then 1 else 0 end) as finished_runs,
        sum(case when {{ is_true('is_successful') }} then 1 else 0 end) as successful_runs,
        sum(tokens) as tokens,
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(changes), 0) as changes,
        coalesce(sum(accepted_changes), 0) as accepted_changes
    from dated
    group by day_start, month_start, agent_id, model_name

),

counted as (
    {% for period in periods %}
    select
        '{{ period }}' as period_type,
        {{ period }}_start as period_start,
        agent_id,
        model_name,
        sum(runs) as runs,
        sum(finished_runs) as finished_runs,
        sum(successful_runs) as successful_runs,
        sum(tokens) as tokens,
        sum(cost_usd) as cost_usd,
        sum(changes) as changes,
        sum(accepted_changes) as accepted_changes
    from counted_per_day
    group by {{ period }}_start, agent_id, model_name
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),
{%- for period in periods %}

durations_per_{{ period }} as (

    {{ percentiles(
        'dated',
        [period ~ '_start', 'agent_id', 'model_name'],
        'duration_seconds',
        {'p50_duration_seconds': 0.5, 'p95_duration_seconds': 0.95},
    ) | indent(4) }}

),
{%- endfor %}

durations as (
    {% for period in periods %}
    select
        '{{ period }}' as period_type,
        {{ period }}_start as period_start,
        agent_id,
        model_name,
        p50_duration_seconds,
        p95_duration_seconds
    from durations_per_{{ period }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

final as (

    select
        counted.period_type,
        counted.period_start,
        counted.agent_id,
        counted.model_name,
        cast(counted.runs as integer) as runs,
        cast(counted.finished_runs as integer) as finished_runs,
        cast(counted.successful_runs as integer) as successful_runs,
        cast(
            counted.successful_runs * 1.0 / nullif(counted.finished_runs, 0) as numeric(18, 4)
        ) as success_rate,
        cast(durations.p50_duration_seconds as numeric(18, 2)) as p50_duration_seconds,
        cast(durations.p95_duration_seconds as numeric(18, 2)) as p95_duration_seconds,
        cast(counted.tokens as bigint) as tokens,
        cast(counted.cost_usd as numeric(18, 6)) as cost_usd,
        cast(counted.changes as integer) as changes,
        cast(counted.accepted_changes as integer) as accepted_changes,
        cast(
            counted.tokens * 1.0 / nullif(counted.accepted_changes, 0) as numeric(18, 2)
        ) as tokens_per_accepted_change,
        cast(
            cast(counted.cost_usd as numeric(18, 6)) / nullif(counted.accepted_changes, 0)
            as numeric(18, 6)
        ) as cost_usd_per_accepted_change
    from counted
    left join durations
        on
            counted.period_type = durations.period_type
            and counted.period_start = durations.period_start
            and counted.agent_id = durations.agent_id
            and counted.model_name = durations.model_name

)

select * from final
