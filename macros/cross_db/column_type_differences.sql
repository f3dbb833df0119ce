{#
    A select that gives one row, naming both types, when a column is of another type than `type`:
    the query behind the test expect_column_values_to_be_of_type. Works on empty relations.

    Without it: `information_schema` spells the same type differently on each engine, and a relation
    narrowed by a test's `where` isn't in it. So the engine itself is asked for both types.
#}
{% macro column_type_differences(relation, column_name, type) -%}
    {{ return(adapter.dispatch('column_type_differences', 'medallion')(
        relation, column_name, api.Column.translate_type(type)
    )) }}
{%- endmacro %}

{% macro default__column_type_differences(relation, column_name, type) %}
with compared as (
    select
        cast(pg_typeof((select {{ column_name }} from {{ relation }} where 1 = 0)) as text)
            as actual_type,
        cast(pg_typeof(cast(null as {{ type }})) as text) as expected_type
)

select
    actual_type,
    expected_type
from compared
where actual_type <> expected_type
{% endmacro %}

{% macro sqlserver__column_type_differences(relation, column_name, type) %}
    {%- set query = 'select ' ~ column_name ~ ' from ' ~ relation -%}
    {%- set describe = 'sys.dm_exec_describe_first_result_set' %}
select
    actual.system_type_name as actual_type,
    expected.system_type_name as expected_type
from {{ describe }}(N'{{ escape_single_quotes(query) }}', null, 0) as actual
cross join {{ describe }}(N'select cast(null as {{ type }}) as expected', null, 0) as expected
where
    actual.system_type_id is null
    or actual.system_type_id <> expected.system_type_id
{% endmacro %}
