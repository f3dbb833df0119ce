{#
    The texts of a group as one, in alphabetical order: `Drama, War`. Null for a group without any.

    Without it: `string_agg` on SQL Server fails as soon as its result is longer than 8000 bytes,
    unless its input is varchar(max).
#}
{% macro text_list(expression) -%}
    {{ return(adapter.dispatch('text_list', 'medallion')(expression)) }}
{%- endmacro %}

{% macro default__text_list(expression) -%}
    {{ dbt.listagg(expression, "', '", 'order by ' ~ expression) }}
{%- endmacro %}

{% macro sqlserver__text_list(expression) -%}
    {{ dbt.listagg('cast(' ~ expression ~ ' as varchar(max))', "', '", 'order by ' ~ expression) }}
{%- endmacro %}
