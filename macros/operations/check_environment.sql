{#
    Stops a run that is about to write to another environment than its target's: the row of
    ops.environment says what the database is. One that nobody has marked is marked by dev and ci,
    and not written to by staging and prod. scripts/common/environment.py is the same for scripts.

    Asked before the first schema is made, and again at the start of each run.
#}
{% macro check_environment() -%}
    {%- set expected = target.name.split('_')[0] -%}
    {%- set found = medallion.marked_environment() -%}
    {%- if found and found != expected -%}
        {{ exceptions.raise_compiler_error(
            "The target " ~ target.name ~ " leads to a database that is marked as " ~ found
            ~ ". Nothing was written. Check the connection's variables (.env.example)."
        ) }}
    {%- elif not found and expected not in ['dev', 'ci'] -%}
        {{ exceptions.raise_compiler_error(
            "This database is not marked as " ~ expected ~ ", so nothing is written to it. If it is "
            ~ "the right one: .venv/bin/python scripts/mark_environment.py --target " ~ target.name
        ) }}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}


{# The environment that this database is marked as; none if it is not. #}
{% macro marked_environment() -%}
    {%- set exists = run_query(medallion.environment_table_exists()).columns[0].values()[0] -%}
    {%- if not exists -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set rows = run_query('select environment from ops.environment').rows -%}
    {{ return(rows[0][0] if rows else none) }}
{%- endmacro %}


{% macro environment_table_exists() -%}
    {{ return(adapter.dispatch('environment_table_exists', 'medallion')()) }}
{%- endmacro %}

{% macro postgres__environment_table_exists() -%}
    select case when to_regclass('ops.environment') is null then 0 else 1 end as is_there
{%- endmacro %}

{% macro sqlserver__environment_table_exists() -%}
    select case when object_id('ops.environment') is null then 0 else 1 end as is_there
{%- endmacro %}


{# The statement that marks an unmarked database as the target's environment. #}
{% macro mark_environment() -%}
    insert into ops.environment (environment)
    select '{{ target.name.split('_')[0] }}'
    where not exists (select 1 from ops.environment);
{%- endmacro %}


{# Rebuilding everything from nothing in prod is a decision: it takes long, and it is on record. #}
{% macro check_full_refresh() -%}
    {%- if flags.FULL_REFRESH and target.name.split('_')[0] == 'prod' and not var('confirmed', '') -%}
        {{ exceptions.raise_compiler_error(
            "--full-refresh in prod builds what readers use from nothing. If that is meant, say why: "
            ~ "--vars '{confirmed: \"the reason\"}'"
        ) }}
    {%- endif -%}
{%- endmacro %}
