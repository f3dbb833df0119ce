{#
    The `indexes` of a bronze table with a cursor: its key, of which `texts` are text, and the batch.

    Without it: text lands in SQL Server as varchar(max), which no index there takes as a key. The
    index is then of the other columns of the key, which don't make a row unique.
#}
{% macro key_indexes(key, texts) -%}
    {%- set by_batch = {'columns': ['_batch_id']} -%}
    {%- if target.type == 'postgres' -%}
        {{ return([{'columns': key, 'unique': true}, by_batch]) }}
    {%- endif -%}
    {%- set others = key | reject('in', texts) | list -%}
    {{ return(([{'columns': others}] if others else []) + [by_batch]) }}
{%- endmacro %}
