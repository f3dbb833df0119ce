{#
    A text without its HTML tags, `<…>`. A `<` that no `>` follows stays.

    Without it: Postgres has `regexp_replace`; SQL Server has no regular expressions before 2025. It
    cuts the text at each `<`, as a JSON array whose elements keep their order, and of each piece
    leaves out what comes before its `>`. The T-SQL form is a subquery: don't call it inside an
    aggregate.
#}
{% macro strip_tags(expression) -%}
    {{ return(adapter.dispatch('strip_tags', 'medallion')(expression)) }}
{%- endmacro %}

{% macro default__strip_tags(expression) -%}
    regexp_replace({{ expression }}, '<[^<>]*>', '', 'g')
{%- endmacro %}

{% macro sqlserver__strip_tags(expression) -%}
    {%- set json = "string_escape(cast(" ~ expression ~ " as varchar(max)), 'json')" -%}
    case
        when {{ expression }} is not null
            then (
                select
                    string_agg(
                        cast(
                            case
                                when piece.[key] = '0' then piece.[value]
                                when charindex('>', piece.[value]) = 0
                                    then concat('<', piece.[value])
                                else substring(
                                    piece.[value],
                                    charindex('>', piece.[value]) + 1,
                                    datalength(piece.[value])
                                )
                            end
                            as varchar(max)
                        ),
                        ''
                    ) within group (order by cast(piece.[key] as int))
                from openjson(concat('["', replace({{ json }}, '<', '","'), '"]')) as piece
            )
    end
{%- endmacro %}
