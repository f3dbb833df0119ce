{#
    The elements of an array as one text, in order, nulls left out. Null stays null; an empty array
    is an empty text.

    Without it: SQL Server has no arrays. They land there as JSON text (`["Trailers", "Deleted
    Scenes"]`), and Postgres' `array_to_string` doesn't exist. The T-SQL form is a subquery: don't
    call it inside an aggregate.
#}
{% macro array_to_text(expression, separator=', ') -%}
    {{ return(adapter.dispatch('array_to_text', 'medallion')(expression, separator)) }}
{%- endmacro %}

{% macro default__array_to_text(expression, separator) -%}
    array_to_string({{ expression }}, '{{ escape_single_quotes(separator) }}')
{%- endmacro %}

{% macro sqlserver__array_to_text(expression, separator) -%}
    {%- set delimiter = "'" ~ escape_single_quotes(separator) ~ "'" -%}
    case
        when {{ expression }} is not null
            then coalesce((
                select
                    string_agg(cast(element.[value] as varchar(max)), {{ delimiter }})
                        within group (order by cast(element.[key] as int))
                from openjson({{ expression }}) as element
            ), '')
    end
{%- endmacro %}
