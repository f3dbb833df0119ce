{# The metadata that extraction adds to every landing table. #}
{% macro landing_metadata() -%}
    {{ return(['_loaded_at', '_batch_id', '_deleted_at']) }}
{%- endmacro %}


{#
    What the YAML says of a source's table: `columns` (the metadata last), `primary_key` (as it
    lands), `mode` and `yaml_path`. Only at execution: while dbt parses, there is no graph yet.
#}
{% macro declared_table(source_name, table_name) -%}
    {%- set unique_id = ['source', model.package_name, source_name, table_name] | join('.') -%}
    {%- set node = graph.sources[unique_id] -%}
    {%- set extract = node.config.meta.extract -%}
    {%- set columns = node.columns.keys() | reject('in', landing_metadata()) | list -%}
    {%- set primary_key = [] -%}
    {%- for name in extract.get('primary_key', []) -%}
        {%- do primary_key.append(extract.get('rename', {}).get(name) or landing_name(name)) -%}
    {%- endfor -%}
    {{ return({
        'columns': columns + landing_metadata(),
        'primary_key': primary_key,
        'mode': extract.get('mode', 'full'),
        'yaml_path': node.original_file_path,
    }) }}
{%- endmacro %}


{# A source's column as it lands, `SalesOrderID` is `sales_order_id`: as scripts/extraction/names.py. #}
{% macro landing_name(column) -%}
    {%- set word_start = '(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])' -%}
    {%- set words = modules.re.sub('\\W+', '_', modules.re.sub(word_start, '_', column)) | lower -%}
    {%- set snake = modules.re.sub('_{2,}', '_', words).rstrip('_') -%}
    {{ return(snake if column.startswith('_') else snake.lstrip('_')) }}
{%- endmacro %}
