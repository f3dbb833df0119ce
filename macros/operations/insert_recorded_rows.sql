{#
    One insert of many rows into a table of ops. `rows` are dicts with the same keys, the table's
    columns; texts that the table has other types for are converted. `where` can hold them all back.

    Without it: `values` with hundreds of rows is slow to parse on both engines, and SQL Server
    takes a thousand at most. As JSON, all rows are one constant.
#}
{% macro insert_recorded_rows(table, rows, where='1 = 1') -%}
    {{ return(adapter.dispatch('insert_recorded_rows', 'medallion')(
        table, rows, where
    )) }}
{%- endmacro %}

{% macro postgres__insert_recorded_rows(table, rows, where) -%}
insert into ops.{{ table }} ({{ rows[0].keys() | join(', ') }})
select {{ rows[0].keys() | join(', ') }}
from json_populate_recordset(
    cast(null as ops.{{ table }}), '{{ escape_single_quotes(tojson(rows)) }}'
)
where {{ where }};
{%- endmacro %}

{# Each column by `with`: json_value() has null for a text of more than 4000 characters. #}
{% macro sqlserver__insert_recorded_rows(table, rows, where) -%}
insert into ops.{{ table }} ({{ rows[0].keys() | join(', ') }})
select {{ rows[0].keys() | join(', ') }}
from openjson('{{ escape_single_quotes(tojson(rows)) }}') with (
    {%- for column in rows[0].keys() %}
    {{ column }} nvarchar(max) '$.{{ column }}'{{ ',' if not loop.last }}
    {%- endfor %}
) as recorded
where {{ where }};
{%- endmacro %}
