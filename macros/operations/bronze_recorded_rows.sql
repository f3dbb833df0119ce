{#
    The body of a bronze model of a table in ops: the rows as they were recorded, merged by key.

    Not bronze_current_rows: nothing is extracted, a row is written again when its run ends, and
    there are no batches. `changed_at` is when a row was last written.
#}
{% macro bronze_recorded_rows(table_name, changed_at='recorded_at') -%}
    {%- set recorded = source('operations', table_name) -%}
    {%- if execute -%}
select
    {{ recorded_columns(table_name) | join(',\n    ') }}
from {{ recorded }}
        {%- if is_incremental() %}
where {{ recorded_since(changed_at) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# The columns of a table in ops, as its YAML has them. Only at execution, when there is a graph. #}
{% macro recorded_columns(table_name) -%}
    {%- set unique_id = ['source', model.package_name, 'operations', table_name] | join('.') -%}
    {{ return(graph.sources[unique_id].columns.keys() | list) }}
{%- endmacro %}


{#
    The condition for rows that were written since this model was built, in an incremental model of
    what the project records. It reaches back an hour, because a row is stamped before it is
    committed: a batch that waits for readers of its landing table is the longest such wait.

    `in_this` is the column's name in the model itself, if that is another one.
#}
{% macro recorded_since(changed_at, in_this=none) -%}
    {{ changed_at }} > (
        select
            {{ dbt.dateadd(
                'hour', -1, "coalesce(max(" ~ (in_this or changed_at) ~ "), cast('2000-01-01' as "
                ~ dbt.type_timestamp() ~ "))"
            ) }}
        from {{ this }}
    )
{%- endmacro %}


{#
    The `loaded_at_query` of what the project records: when it last did. A table in which nothing is
    recorded yet, as in a new warehouse, is not stale.
#}
{% macro last_recorded_at(changed_at='recorded_at') -%}
    select coalesce(max({{ changed_at }}), {{ dbt.current_timestamp() }}) as loaded_at
    from ops.{{ model.name }}
{%- endmacro %}
