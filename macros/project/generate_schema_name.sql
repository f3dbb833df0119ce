{#
    Where a model is built: one decision for every target and both engines.

    prod, staging   the layer's own name (`gold`), because a database serves one environment
    dev, ci         prefixed by the target's schema (`dev_ada_gold`, `ci_4711_gold`), so that
                    developers and pull requests never write over each other

    dbt-sqlserver takes a custom schema as it is; without this macro a developer's run would
    write to the schemas that readers use.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(medallion.schema_name(custom_schema_name, target.name, target.schema)) }}
{%- endmacro %}


{#
    The rule itself. The target comes in as arguments, so that a test can call it for every
    environment. `target_name` is `<environment>` or `<environment>_<engine>`.
#}
{% macro schema_name(custom_schema_name, target_name, target_schema) -%}
    {%- set layer = (custom_schema_name or '') | trim -%}
    {%- set environment = target_name.split('_')[0] -%}
    {%- if environment not in ['dev', 'ci', 'staging', 'prod'] -%}
        {{ exceptions.raise_compiler_error(
            "Target '" ~ target_name ~ "' is not known to macros/project/generate_schema_name.sql. "
            ~ "Name it after its environment: dev, ci, staging or prod, with '_sqlserver' for SQL Server."
        ) }}
    {%- elif not layer -%}
        {{ return(target_schema) }}
    {%- elif environment in ['staging', 'prod'] -%}
        {{ return(layer) }}
    {%- else -%}
        {{ return(target_schema ~ '_' ~ layer) }}
    {%- endif -%}
{%- endmacro %}
