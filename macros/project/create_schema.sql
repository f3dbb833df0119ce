{#
    dbt makes missing schemas before any hook runs. Whatever is wrong with the environment must be
    found before that.
#}
{% macro postgres__create_schema(relation) -%}
    {%- do medallion.check_environment() -%}
    {{ dbt.postgres__create_schema(relation) }}
{%- endmacro %}

{% macro sqlserver__create_schema(relation) -%}
    {%- do medallion.check_environment() -%}
    {{ dbt.sqlserver__create_schema(relation) }}
{%- endmacro %}
