{#
    The digits 0 to 9 of a text, in their order; null for a text without any.

    Without it: SQL Server has no regular expressions before 2025. There, what is left of the text
    without its digits says which characters have to go; the bar keeps that list from being empty.
#}
{% macro digits_only(expression) -%}
    {{ return(adapter.dispatch('digits_only', 'medallion')(expression)) }}
{%- endmacro %}

{% macro default__digits_only(expression) -%}
    nullif(regexp_replace({{ expression }}, '[^0-9]', '', 'g'), '')
{%- endmacro %}

{% macro sqlserver__digits_only(expression) -%}
    {%- set unwanted -%}
        concat(
            replace(translate({{ expression }}, '0123456789', replicate(' ', 10)), ' ', ''), '|'
        )
    {%- endset -%}
    nullif(
        replace(
            translate({{ expression }}, {{ unwanted }}, replicate(' ', len({{ unwanted }}))),
            ' ',
            ''
        ),
        ''
    )
{%- endmacro %}
