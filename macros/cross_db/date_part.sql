{#
    A part of a date or timestamp as an integer: year, isoyear, quarter, month, week, day,
    dayofweek, dayofyear, hour, minute. `week` is the ISO week (it belongs to `isoyear`, not to
    `year`), `dayofweek` is 1 for Monday to 7 for Sunday.

    Without it: Postgres has `extract`, which returns a numeric; T-SQL has `datepart`, whose `week`
    is not the ISO week, whose `weekday` changes with the session's language, and which has no ISO
    year at all.
#}
{% macro date_part(part, expression) -%}
    {%- set parts = [
        'year', 'isoyear', 'quarter', 'month', 'week', 'day', 'dayofweek', 'dayofyear', 'hour',
        'minute'
    ] -%}
    {%- if part not in parts -%}
        {{ exceptions.raise_compiler_error(
            "date_part() doesn't know the part '" ~ part ~ "'. Use one of: "
            ~ parts | join(', ') ~ "."
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('date_part', 'medallion')(part, expression)) }}
{%- endmacro %}

{% macro default__date_part(part, expression) -%}
    {%- set names = {'dayofweek': 'isodow', 'dayofyear': 'doy'} -%}
    cast(extract({{ names.get(part, part) }} from {{ expression }}) as integer)
{%- endmacro %}

{% macro sqlserver__date_part(part, expression) -%}
    {%- if part == 'dayofweek' -%}
        {#- 1 January 0001 was a Monday -#}
        (datediff(day, cast('0001-01-01' as date), {{ expression }}) % 7 + 1)
    {%- elif part == 'isoyear' -%}
        {#- the Thursday of a week is always in its ISO year -#}
        year(dateadd(
            day,
            3 - datediff(day, cast('0001-01-01' as date), {{ expression }}) % 7,
            {{ expression }}
        ))
    {%- else -%}
        datepart({{ {'week': 'iso_week'}.get(part, part) }}, {{ expression }})
    {%- endif -%}
{%- endmacro %}
