{#
    The `loaded_at_query` of every source: when extraction last looked at the table with success.

    Not the newest row's `_loaded_at`: a table that doesn't change gets no new rows and would
    look stale, and the newest row of a large table is dear to find.
#}
{% macro last_extracted_at() -%}
    select max(finished_at) as loaded_at
    from ops.extract_batches
    where
        status = 'loaded'
        and source_name = '{{ model.source_name }}'
        and table_name = '{{ model.name }}'
{%- endmacro %}
