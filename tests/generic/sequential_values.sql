{#
    Fails with every row that doesn't follow the one before it by exactly the interval, so with one
    row per gap and per repetition. A number, or with a datepart a date or timestamp; with
    group_by_columns, one sequence per group.
#}
{% test sequential_values(model, column_name, interval=1, datepart=none, group_by_columns=[]) %}

    {%- set groups = group_by_columns | join(', ') %}
with ordered as (
    select
        {{ groups ~ ',' if groups }}
        {{ column_name }} as current_value,
        lag({{ column_name }}) over (
            {{ 'partition by ' ~ groups if groups }} order by {{ column_name }}
        ) as previous_value
    from {{ model }}
)

select *
from ordered
{%- if datepart %}
where current_value <> {{ dbt.dateadd(datepart, interval, 'previous_value') | trim }}
{%- else %}
where current_value <> previous_value + {{ interval }}
{%- endif %}

{% endtest %}
