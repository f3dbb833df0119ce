{#
    The part of a text after the first occurrence of a mark; the whole text where the mark is not in
    it.

    Without it: as text_before.
#}
{% macro text_after(expression, mark) -%}
    {%- set quoted = "'" ~ escape_single_quotes(mark) ~ "'" -%}
    case
        when {{ dbt.position(quoted, expression) | trim }} > 0
            then substring(
                {{ expression }},
                {{ dbt.position(quoted, expression) | trim }} + {{ mark | length }},
                8000
            )
        else {{ expression }}
    end
{%- endmacro %}
