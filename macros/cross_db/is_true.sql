{#
    A boolean column as a condition, for `where`, `on`, `having` and `case when`. Null stays
    unknown, so `not` in front of it means the same on both engines.

    Without it: `where is_active` is a syntax error on T-SQL (BIT is a number there), and
    `where is_active = 1` is one on Postgres.
#}
{% macro is_true(column) -%}
    {{ return(adapter.dispatch('is_true', 'medallion')(column)) }}
{%- endmacro %}

{% macro default__is_true(column) -%}
    ({{ column }} = true)
{%- endmacro %}

{% macro sqlserver__is_true(column) -%}
    ({{ column }} = 1)
{%- endmacro %}
