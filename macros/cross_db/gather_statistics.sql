{#
    A post-hook for tables: tells the planner at once how many rows there are, and which are new.

    Without it: Postgres takes a table that it hasn't looked at for one of 800 rows, and sorts all
    facts to join them with four codes. It takes the rows of a batch that it hasn't heard of for
    none, and reads all customers again for each of them. SQL Server looks by itself, when it first
    needs to know.
#}
{% macro gather_statistics() -%}
    {{ return(adapter.dispatch('gather_statistics', 'medallion')()) }}
{%- endmacro %}

{% macro default__gather_statistics() -%}
    analyze {{ this }}
{%- endmacro %}

{% macro sqlserver__gather_statistics() -%}
{%- endmacro %}
