{#
    dbt's merge, that leaves a row alone which says the same already. Rows are built again whenever
    an input of theirs lands, and most of them for nothing: a film gets another price, and none of
    its rentals changes. Not to write those again is most of a merge's cost, and all of its bloat.

    A batch alone is no news: a row keeps the batches by which it came to say what it says. A row that
    has landed again is news, and is not compared: Postgres can't compare json or points.
#}
{% macro postgres__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {{ medallion.merge_of_news(
        dbt.default__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates),
        dest_columns,
    ) }}
{%- endmacro %}

{% macro sqlserver__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {{ medallion.merge_of_news(
        dbt.sqlserver__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates),
        dest_columns,
    ) }}
{%- endmacro %}


{% macro merge_of_news(merge, dest_columns) -%}
    {%- if '_loaded_at' in dest_columns | map(attribute='name') -%}
        {{ return(merge) }}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- for column in dest_columns if not column.name.endswith('_batch_id') -%}
        {%- do columns.append(adapter.quote(column.name)) -%}
    {%- endfor -%}
    {{ merge | replace('when matched then', 'when matched and ' ~ medallion.differ(columns) ~ ' then') }}
{%- endmacro %}


{# Whether a row of the merge's source differs from the one it matches; null is like null. #}
{% macro differ(columns) -%}
    {{ return(adapter.dispatch('differ', 'medallion')(columns)) }}
{%- endmacro %}

{% macro default__differ(columns) -%}
    row(DBT_INTERNAL_SOURCE.{{ columns | join(', DBT_INTERNAL_SOURCE.') }})
        is distinct from row(DBT_INTERNAL_DEST.{{ columns | join(', DBT_INTERNAL_DEST.') }})
{%- endmacro %}

{% macro sqlserver__differ(columns) -%}
    exists (
        select DBT_INTERNAL_SOURCE.{{ columns | join(', DBT_INTERNAL_SOURCE.') }}
        except
        select DBT_INTERNAL_DEST.{{ columns | join(', DBT_INTERNAL_DEST.') }}
    )
{%- endmacro %}
