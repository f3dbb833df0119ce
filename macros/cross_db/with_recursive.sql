{#
    How a query begins of whose CTEs one reads itself.

    Without it: Postgres refuses such a query without `recursive`, SQL Server with it. SQL Server
    ends in an error after 100 rounds, so stop before: count them in a column.
#}
{% macro with_recursive() -%}
    {{ return(adapter.dispatch('with_recursive', 'medallion')()) }}
{%- endmacro %}

{% macro default__with_recursive() -%}
    with recursive
{%- endmacro %}

{% macro sqlserver__with_recursive() -%}
    with
{%- endmacro %}
