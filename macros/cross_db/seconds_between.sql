{#
    The seconds from one timestamp to a later one, to the microsecond, as numeric(18, 6).

    Without it: `dbt.datediff` counts the boundaries that are crossed, so that 59.9 seconds are a
    minute or none, depending on the time of day; and subtracting timestamps is no T-SQL.
#}
{% macro seconds_between(start, end) -%}
    {{ return(adapter.dispatch('seconds_between', 'medallion')(start, end)) }}
{%- endmacro %}

{% macro default__seconds_between(start, end) -%}
    cast(extract(epoch from ({{ end }} - {{ start }})) as numeric(18, 6))
{%- endmacro %}

{% macro sqlserver__seconds_between(start, end) -%}
    cast(datediff_big(microsecond, {{ start }}, {{ end }}) / 1000000.0 as numeric(18, 6))
{%- endmacro %}
