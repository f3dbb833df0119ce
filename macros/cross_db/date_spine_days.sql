{#
    A select with one row per day, column `date_day`, from `start_date` to `end_date`, both
    included. Both are SQL expressions that give a date; where one gives null there are no days.

    Without it: `dbt.date_spine` starts with `with`, so it can't stand in a CTE on T-SQL, asks the
    database while it compiles, and has no SQL Server implementation. SQL Server's
    `generate_series` needs 2022; the cross join works everywhere and for any range of dates.
#}
{% macro date_spine_days(start_date, end_date) -%}
    {{ return(adapter.dispatch('date_spine_days', 'medallion')(start_date, end_date)) }}
{%- endmacro %}

{% macro default__date_spine_days(start_date, end_date) -%}
    select cast(days.moment as date) as date_day
    from
        generate_series(
            cast({{ start_date }} as timestamp), cast({{ end_date }} as timestamp), interval '1 day'
        ) as days (moment)
{%- endmacro %}

{% macro sqlserver__date_spine_days(start_date, end_date) -%}
    {%- set last_day_number = 'datediff(day, ' ~ start_date ~ ', ' ~ end_date ~ ')' -%}
    select dateadd(day, days.day_number, cast({{ start_date }} as date)) as date_day
    from (
        select top (case when {{ last_day_number }} >= 0 then {{ last_day_number }} + 1 else 0 end)
            cast(row_number() over (order by (select null)) as int) - 1 as day_number
        from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as d0 (digit)
        {%- for place in range(1, 7) %}
        cross join (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as d{{ place }} (digit)
        {%- endfor %}
    ) as days
{%- endmacro %}
