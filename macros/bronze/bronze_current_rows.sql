{#
    The body of every bronze model: the current row per key of one landing table.

    Columns, mode and primary key are those of the source's YAML, so that adding a column there is
    all there is to do.

    full     landing holds each row once: taken as it is
    cursor   landing is a log: batches that this model has not seen are read and merged by key
#}
{% macro bronze_current_rows(source_name, table_name) -%}
    {%- set landing = source(source_name, table_name) -%}
    {%- if execute -%}
        {%- set table = declared_table(source_name, table_name) -%}
        {%- set columns = [] -%}
        {%- for name in table.columns -%}
            {%- do columns.append(adapter.quote(name)) -%}
        {%- endfor -%}
        {%- if table.mode == 'full' -%}
select
    {{ columns | join(',\n    ') }}
from {{ landing }}
        {%- else -%}
            {%- if model.resource_type == 'model' -%}
                {%- do check_bronze_config(table) -%}
            {%- endif -%}
{{ latest_row_per_key(landing, columns, table.primary_key) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# Landing holds one row per key and batch; the highest batch wins. #}
{% macro latest_row_per_key(landing, columns, primary_key) -%}
with landed as (

    select
        {{ columns | join(',\n        ') }},
        row_number() over (
            partition by {{ primary_key | join(', ') }}
            order by _batch_id desc
        ) as row_rank
    from {{ landing }}
    {%- if is_incremental() %}
    where _batch_id > (select coalesce(max(_batch_id), 0) from {{ this }})
    {%- endif %}

)

select
    {{ columns | join(',\n    ') }}
from landed
where row_rank = 1
{%- endmacro %}


{# A merge on another key than the source's would double rows, or lose them, in silence. #}
{% macro check_bronze_config(table) -%}
    {%- set key = config.get('unique_key') or [] -%}
    {%- set key = [key] if key is string else key -%}
    {%- set is_incremental_model = config.get('materialized') == 'incremental' -%}
    {%- if not is_incremental_model or key | sort != table.primary_key | sort -%}
        {{ exceptions.raise_compiler_error(
            "The source of " ~ model.name ~ " lands by cursor with the primary key "
            ~ table.primary_key ~ " (" ~ table.yaml_path ~ "). Make the model incremental, with "
            ~ "this key as its unique_key; it has " ~ key ~ "."
        ) }}
    {%- endif -%}
{%- endmacro %}
