{#
    Fails with one row when the last complete day has unusually few or many rows, compared with the
    mean of the `days` before it; days without rows count as such. The last complete day is the one
    before the newest: today is still under way, and a source that has stopped is found by freshness.

    Passes while there are fewer days than that, and where the mean is under `min_mean` rows a day,
    because of so few chance decides.
#}
{% test rows_per_day_in_normal_range(
    model, column_name, days=28, min_factor=0.1, max_factor=5, min_mean=10
) %}

    {%- set last_complete_day = dbt.dateadd('day', -1, 'max(date_day)') | trim %}
    {%- set first_day = dbt.dateadd('day', -1 - days, 'max(date_day)') | trim %}
with days as (
    select
        cast({{ column_name }} as date) as date_day,
        count(*) as row_count
    from {{ model }}
    where {{ column_name }} is not null
    group by cast({{ column_name }} as date)
),

bounds as (
    select
        cast({{ last_complete_day }} as date) as last_complete_day,
        cast({{ first_day }} as date) as first_day,
        min(date_day) as oldest_day
    from days
),

compared as (
    select
        bounds.last_complete_day,
        sum(
            case when days.date_day = bounds.last_complete_day then days.row_count else 0 end
        ) as row_count,
        sum(
            case when days.date_day < bounds.last_complete_day then days.row_count else 0 end
        ) / {{ days }}.0 as normal_row_count
    from days
    inner join bounds
        on
            days.date_day between bounds.first_day and bounds.last_complete_day
            and bounds.oldest_day <= bounds.first_day
    group by bounds.last_complete_day
)

select *
from compared
where
    normal_row_count >= {{ min_mean }}
    and (
        row_count < {{ min_factor }} * normal_row_count
        or row_count > {{ max_factor }} * normal_row_count
    )

{% endtest %}
