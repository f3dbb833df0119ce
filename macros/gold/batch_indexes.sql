{#
    The `indexes` of a fact whose rows carry the batches of their inputs (`batch_ids`), so that what
    landed since is found without reading the whole fact. New rows lie together, so that Postgres'
    block ranges do, at the price of a few pages; SQL Server's columnstore keeps such ranges itself.
#}
{% macro batch_indexes(batch_ids) -%}
    {%- set indexes = [] -%}
    {%- if target.type == 'postgres' -%}
        {%- for batch_id in batch_ids -%}
            {%- do indexes.append({'columns': [batch_id], 'type': 'brin'}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(indexes) }}
{%- endmacro %}
