{#
    Whether a text matches a regular expression, as a condition; case matters.

    Without it: Postgres writes `~`; SQL Server has no regular expressions before 2025, where it is
    `regexp_like` (database compatibility level 170).

    On SQL Server, `tsql_condition` is what to ask instead, mostly LIKE with character classes:

        matches_regex(
            'email',
            '^[^@ ]+@[^@ ]+$',
            tsql_condition="email like '%_@_%' and email not like '% %' and email not like '%@%@%'"
        )

    Without it the macro stops at compile time, unless the project says that its servers are 2025
    or later: `vars: {sqlserver_has_regex: true}`, and `--allow regexp_like` for the T-SQL gate.

    On both engines keep to the common subset: classes `[a-z]`, anchors, `| ( ) * + ? {n,m}`, `\d`.
#}
{% macro matches_regex(expression, pattern, tsql_condition=none) -%}
    {{ return(adapter.dispatch('matches_regex', 'medallion')(
        expression, pattern, tsql_condition
    )) }}
{%- endmacro %}

{% macro default__matches_regex(expression, pattern, tsql_condition) -%}
    ({{ expression }} ~ '{{ escape_single_quotes(pattern) }}')
{%- endmacro %}

{% macro sqlserver__matches_regex(expression, pattern, tsql_condition) -%}
    {%- if tsql_condition -%}
        ({{ tsql_condition }})
    {%- elif var('sqlserver_has_regex', false) -%}
        regexp_like({{ expression }}, '{{ escape_single_quotes(pattern) }}')
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "SQL Server before 2025 has no regular expressions, so " ~ expression
            ~ " can't be matched with '" ~ pattern ~ "'. Give matches_regex (or the test that "
            ~ "calls it) a tsql_condition like \"email like '%_@_%'\", or, when every server is "
            ~ "2025 or later, set the variable sqlserver_has_regex: true in dbt_project.yml."
        ) }}
    {%- endif -%}
{%- endmacro %}
