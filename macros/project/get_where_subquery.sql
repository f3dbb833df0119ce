{#
    What a generic test reads: dbt's own hook for the `where` of a test.

    A test that asks each row of a model passes over those that are gone from the source. Bronze
    keeps them, so a bad row that was deleted there would fail every build from then on; and what
    was deleted may come back under another key.

    scripts/refresh.py says up to which batch all rows were tested already. A test then looks at the
    rows that landed since, in every model and source that declares the batches of its rows: what a
    refresh costs follows what changed; of what may wait (is_settled), also those of the day before
    that waited. Every other run, and the first refresh of each day, tests
    all rows. That no key is doubled between old and new rows, the engine's own keys see to.
#}
{% macro default__get_where_subquery(relation) -%}
    {%- set where = medallion.where_it_exists(model, config.get('where')) -%}
    {%- set tested = medallion.tested_batch() -%}
    {%- set batches = medallion.batch_columns(model) if tested else [] -%}
    {%- if tested and model.test_metadata.name == 'relationships_where' -%}
        {%- set tested = medallion.waiting_batch() -%}
    {%- endif -%}
    {%- if batches -%}
        {{ return('(' ~ medallion.rows_after(relation, batches, tested, where) ~ ') dbt_subquery') }}
    {%- elif where -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery') }}
    {%- else -%}
        {{ return(relation) }}
    {%- endif -%}
{%- endmacro %}


{#
    The rows of which an input has landed after a batch. A union and not one condition with `or`:
    each part can then start from the few rows of its own input, where an `or` over several inputs
    makes the engine join all of them in full.
#}
{% macro rows_after(relation, batch_columns, batch, where=none) -%}
    {%- for column in batch_columns -%}
        {{- ' union all ' if not loop.first -}}
        select * from {{ relation }} where {{ column }} > {{ batch }}
        {%- for earlier in batch_columns[:loop.index0] %} and coalesce({{ earlier }}, 0) <= {{ batch }}
        {%- endfor -%}
        {{- ' and (' ~ where ~ ')' if where -}}
    {%- endfor -%}
{%- endmacro %}


{# A test's `where`, and that the row exists at the source if the model says so. #}
{% macro where_it_exists(test, where=none) -%}
    {%- set tested = medallion.tested_by_row(test) -%}
    {%- set conditions = [] -%}
    {%- if tested.resource_type == 'model' and 'deleted_at' in tested.columns -%}
        {%- do conditions.append('deleted_at is null') -%}
    {%- elif tested.resource_type == 'model' and 'is_deleted' in tested.columns -%}
        {%- do conditions.append('not ' ~ medallion.is_true('is_deleted')) -%}
    {%- endif -%}
    {%- do conditions.append('(' ~ where ~ ')') if where -%}
    {{ return(conditions | join(' and ')) }}
{%- endmacro %}


{# The columns with the batches of the rows that a test looks at; none if it looks at whole tables. #}
{% macro batch_columns(test) -%}
    {%- set found = [] -%}
    {%- for name in medallion.tested_by_row(test).columns or {} if name.endswith('_batch_id') -%}
        {%- do found.append(adapter.quote(name)) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{# What a test asks row by row; empty if it looks at whole tables, and while dbt parses. #}
{% macro tested_by_row(test) -%}
    {%- set by_row = [
        'accepted_range', 'accepted_values', 'expect_column_values_to_be_between',
        'expect_column_values_to_match_regex', 'expression_is_true', 'not_empty_string',
        'not_in_future', 'not_null', 'relationships', 'relationships_where', 'unique',
        'unique_combination_of_columns',
    ] -%}
    {%- if execute and test.test_metadata and test.test_metadata.name in by_row -%}
        {{ return(
            graph.nodes.get(test.attached_node)
            or graph.sources.get(test.depends_on.nodes | first)
            or {}
        ) }}
    {%- endif -%}
    {{ return({}) }}
{%- endmacro %}
