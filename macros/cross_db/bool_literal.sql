{#
    A boolean constant as a value.

    Without it: T-SQL has no boolean type. `select true` reads a column called true, and
    a plain 1 becomes an int that breaks a contract's `boolean` (BIT).
#}
{% macro bool_literal(value) -%}
    {{ return(adapter.dispatch('bool_literal', 'medallion')(value)) }}
{%- endmacro %}

{% macro default__bool_literal(value) -%}
    {{ 'true' if value else 'false' }}
{%- endmacro %}

{% macro sqlserver__bool_literal(value) -%}
    cast({{ 1 if value else 0 }} as bit)
{%- endmacro %}
