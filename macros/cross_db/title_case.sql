{#
    A text that is written in capitals only, or in small letters only, with a capital at the start
    of each word: `ANNA O'NEIL-BERG` is `Anna O'Neil-Berg`. A text that has both stays as it is:
    whoever typed `McDonald` or `van Dijk` knew how.

    Without it: T-SQL has no `initcap`. There, the words are made a JSON array, which alone keeps
    their order when it is taken apart. The T-SQL form is a subquery: don't call it inside an
    aggregate.
#}
{% macro title_case(expression) -%}
    {{ return(adapter.dispatch('title_case', 'medallion')(expression)) }}
{%- endmacro %}

{% macro default__title_case(expression) -%}
    case
        when {{ expression }} in (upper({{ expression }}), lower({{ expression }}))
            then initcap({{ expression }})
        else {{ expression }}
    end
{%- endmacro %}

{% macro sqlserver__title_case(expression) -%}
    {#- A word ends with what parts it from the next one, as that is written in JSON. The comma is
        the first, before any that JSON itself needs. -#}
    {%- set separators = [',', '\\"', '\\\\', ' ', '-', '.', "''", '(', '/', '&'] -%}
    {%- set words = namespace(sql="string_escape(" ~ expression ~ ", 'json')") -%}
    {%- for separator in separators -%}
        {%- set words.sql = "replace(" ~ words.sql ~ ", '" ~ separator ~ "', '" ~ separator
            ~ '","' ~ "')" -%}
    {%- endfor -%}
    case
        when {{ expression }} in (upper({{ expression }}), lower({{ expression }}))
            then cast((
                select
                    string_agg(
                        concat(
                            upper(left(word.[value], 1)), lower(substring(word.[value], 2, 8000))
                        ),
                        ''
                    ) within group (order by cast(word.[key] as int))
                from openjson(concat('["', {{ words.sql }}, '"]')) as word
            ) as {{ dbt.type_string() }})
        else {{ expression }}
    end
{%- endmacro %}
