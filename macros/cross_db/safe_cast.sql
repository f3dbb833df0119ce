{#
    dbt's own `safe_cast`, which also takes YAML's true and false on SQL Server.

    Without it: `is_active: true` in a row of a unit test becomes `try_cast(True as bit)` there, and
    True is read as a column.
#}
{% macro sqlserver__safe_cast(field, type) -%}
    try_cast({{ (1 if field else 0) if field is boolean else field }} as {{ type }})
{%- endmacro %}
