{%- set today = business_date(current_utc_timestamp()) -%}
{%- set monday = dbt.dateadd('day', '1 - ' ~ date_part('dayofweek', 'date_day'), 'date_day') -%}
{%- set periods = ['day', 'week'] -%}

with production_deployments as (

    select * from {{ ref('fact_deployment') }}
    where {{ is_true('is_production') }} and {{ is_true('is_change') }}

),

bands as (

    select * from {{ ref('dora_bands') }}

),

deployments as (

    select
        service_name,
        finished_date as date_day,
        is_failed_change,
        lead_time_hours,
        hours_to_restore
    from production_deployments
    union all
    select
        'overall' as service_name,
        finished_date as date_day,
        is_failed_change,
        lead_time_hours,
        hours_to_restore
    from production_deployments

),

services as (

    select
        service_name,
        min(date_day) as first_day
    from deployments
    group by service_name

),

days as (

    {{ date_spine_days('(select min(first_day) from services)', today) }}

),

calendar as (

    select
        date_day,
        date_day as day_start,
        cast({{ monday }} as date) as week_start
    from days

),

-- Days and weeks without a deployment too, from the service's first one on.
periods as (
    {% for period in periods %}
    select
        services.service_name,
        '{{ period }}' as period_type,
        calendar.{{ period }}_start as period_start,
        count(*) as days
    from services
    inner join calendar on services.first_day <= calendar.date_day
    group by services.service_name, calendar.{{ period }}_start
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

dated as (
    {% for period in periods %}
    select
        deployments.service_name,
        '{{ period }}' as period_type,
        calendar.{{ period }}_start as period_start,
        deployments.is_failed_change,
        deployments.lead_time_hours,
        deployments.hours_to_restore
    from deployments
    inner join calendar on deployments.date_day = calendar.date_day
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

counted as (

    select
        service_name,
        period_type,
        period_start,
        count(*) as deployments,
        sum(case when {{ is_true('is_failed_change') }} then 1 else 0 end) as failed_deployments,
        count(hours_to_restore) as restored_deployments
    from dated
    group by service_name, period_type, period_start

),

lead_time_medians as (

    {{ percentiles(
        'dated',
        ['service_name', 'period_type', 'period_start'],
        'lead_time_hours',
        {'lead_time_hours': 0.5},
    ) | indent(4) }}

),

restoration_medians as (

    {{ percentiles(
        'dated',
        ['service_name', 'period_type', 'period_start'],
        'hours_to_restore',
        {'hours_to_restore': 0.5},
    ) | indent(4) }}

),

measured as (

    select
        periods.service_name,
        periods.period_type,
        periods.period_start,
        periods.days,
        coalesce(counted.deployments, 0) as deployments,
        coalesce(counted.failed_deployments, 0) as failed_deployments,
        coalesce(counted.restored_deployments, 0) as restored_deployments,
        cast(
            coalesce(counted.deployments, 0) * 7.0 / periods.days as numeric(18, 4)
        ) as deployments_per_week,
        cast(lead_time_medians.lead_time_hours as numeric(18, 2)) as lead_time_hours,
        cast(
            counted.failed_deployments * 1.0 / counted.deployments as numeric(18, 4)
        ) as change_failure_rate,
        cast(restoration_medians.hours_to_restore as numeric(18, 2)) as hours_to_restore
    from periods
    left join counted
        on
            periods.service_name = counted.service_name
            and periods.period_type = counted.period_type
            and periods.period_start = counted.period_start
    left join lead_time_medians
        on
            periods.service_name = lead_time_medians.service_name
            and periods.period_type = lead_time_medians.period_type
            and periods.period_start = lead_time_medians.period_start
    left join restoration_medians
        on
            periods.service_name = restoration_medians.service_name
            and periods.period_type = restoration_medians.period_type
            and periods.period_start = restoration_medians.period_start

),

final as (

    select
        measured.period_type,
        measured.period_start,
        measured.service_name,
        cast(measured.days as integer) as days,
        cast(measured.deployments as integer) as deployments,
        cast(measured.failed_deployments as integer) as failed_deployments,
        cast(measured.restored_deployments as integer) as restored_deployments,
        measured.deployments_per_week,
        frequency_bands.band as deployments_per_week_band,
        measured.lead_time_hours,
        lead_time_bands.band as lead_time_hours_band,
        measured.change_failure_rate,
        failure_bands.band as change_failure_rate_band,
        measured.hours_to_restore,
        restoration_bands.band as hours_to_restore_band
    from measured
    left join bands as frequency_bands
        on
            frequency_bands.metric = 'deployments_per_week'
            and {{ is_in_band('measured.deployments_per_week', 'frequency_bands') }}
    left join bands as lead_time_bands
        on
            lead_time_bands.metric = 'lead_time_hours'
            and {{ is_in_band('measured.lead_time_hours', 'lead_time_bands') }}
    left join bands as failure_bands
        on
            failure_bands.metric = 'change_failure_rate'
            and {{ is_in_band('measured.change_failure_rate', 'failure_bands') }}
    left join bands as restoration_bands
        on
            restoration_bands.metric = 'hours_to_restore'
            and {{ is_in_band('measured.hours_to_restore', 'restoration_bands') }}

)

select * from final
