{#
    The days that have begun between two timestamps, the second being the later: one for a second,
    one for exactly a day, two for a day and a second.

    Without it: `dbt.datediff` counts midnights, so a film that is two hours late is or isn't a day
    late, depending on the time of day.
#}
{% macro days_begun(start, end) -%}
    {{ return(adapter.dispatch('days_begun', 'medallion')(start, end)) }}
{%- endmacro %}

{% macro default__days_begun(start, end) -%}
    cast(ceil(extract(epoch from ({{ end }} - {{ start }})) / 86400) as integer)
{%- endmacro %}

{% macro sqlserver__days_begun(start, end) -%}
    cast(
        ceiling(datediff_big(microsecond, {{ start }}, {{ end }}) / 86400000000.0) as integer
    )
{%- endmacro %}
