{#
    A post-hook for seeds: tells the planner at once how few rows there are.

    Without it: Postgres takes a table that it hasn't looked at for one of 800 rows, and sorts all
    facts to join them with four codes. SQL Server looks by itself, when it first needs to know.
#}
{% macro gather_statistics() -%}
    {{ return(adapter.dispatch('gather_statistics', 'medallion')()) }}
{%- endmacro %}

{% macro default__gather_statistics() -%}
    analyze {{ this }}
{%- endmacro %}

{% macro sqlserver__gather_statistics() -%}
{%- endmacro %}
