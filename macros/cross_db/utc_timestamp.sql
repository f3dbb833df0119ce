{#
    A moment with a time zone as a naive timestamp in UTC, the type of every `<event>_at` column.

    Without it: Postgres turns a timestamptz into a timestamp in the *session's* time zone, so the
    same build gives other values on a laptop than on a server; SQL Server's cast drops the offset
    and keeps the local clock.

    On SQL Server a value without an offset is taken as UTC already, which is how landing writes it.
    On Postgres the expression must be a timestamptz: `at time zone` would turn a timestamp without
    a zone the other way round.
#}
{% macro utc_timestamp(expression) -%}
    {{ return(adapter.dispatch('utc_timestamp', 'medallion')(expression)) }}
{%- endmacro %}

{% macro default__utc_timestamp(expression) -%}
    ({{ expression }} at time zone 'UTC')
{%- endmacro %}

{% macro sqlserver__utc_timestamp(expression) -%}
    cast({{ expression }} at time zone 'UTC' as datetime2(6))
{%- endmacro %}
