{#
    A post-hook for incremental facts: rows that were deleted at the source leave the fact too,
    because a merge only inserts and updates. `staging` has the deleted rows, with their deleted_at
    and the batch that landed them.

    Rendered, because with `--empty` a relation is a subquery that has its alias already.
#}
{% macro delete_gone_rows(staging, keys, batch_id='_batch_id') -%}
    delete from {{ this }}
    where exists (
        select 1
        from {{ staging.render() }} as gone
        where
            gone.deleted_at is not null
            {%- if built_batch() %}
            and gone.{{ batch_id }} > {{ built_batch() }}
            {%- endif %}
            {%- for key in keys %}
            and gone.{{ key }} = {{ this.identifier }}.{{ key }}
            {%- endfor %}
    )
{%- endmacro %}
