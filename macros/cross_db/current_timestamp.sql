{#
    dbt's own `current_timestamp` on SQL Server, in UTC: what dbt compares a source's age with, and
    writes into snapshots. In models use `current_utc_timestamp()`.

    Without it: dbt-sqlserver takes the *server's local* clock and dbt reads it as UTC, so that a
    source looks hours younger or older than it is.
#}
{% macro sqlserver__current_timestamp() -%}
    {{ medallion.current_utc_timestamp() }}
{%- endmacro %}
