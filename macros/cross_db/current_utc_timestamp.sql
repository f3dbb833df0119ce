{#
    Now, as a naive timestamp in UTC.

    Without it: `dbt.current_timestamp()` is a timestamptz on Postgres and the *server's local*
    clock on SQL Server, so comparing it with a UTC column is hours off.
#}
{% macro current_utc_timestamp() -%}
    {{ return(adapter.dispatch('current_utc_timestamp', 'medallion')()) }}
{%- endmacro %}

{% macro default__current_utc_timestamp() -%}
    (current_timestamp at time zone 'UTC')
{%- endmacro %}

{% macro sqlserver__current_utc_timestamp() -%}
    cast(sysutcdatetime() as datetime2(6))
{%- endmacro %}
