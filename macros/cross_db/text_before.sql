{#
    The part of a text before the first occurrence of a mark; the whole text where the mark is not in
    it.

    Without it: `dbt.split_part` reads the text as XML on SQL Server, where it fails at each `&` and
    cuts at 128 characters.
#}
{% macro text_before(expression, mark) -%}
    {%- set quoted = "'" ~ escape_single_quotes(mark) ~ "'" -%}
    left(
        {{ expression }},
        {{ dbt.position(quoted, dbt.concat([expression, quoted])) | trim }} - 1
    )
{%- endmacro %}
