{#
    A post-hook for tables: tells the planner at once how many rows there are, and which are new.

    Without it: Postgres takes a table that it hasn't looked at for one of 800 rows, and sorts all
    facts to join them with four codes. It takes the rows of a batch that it hasn't heard of for
    none, and reads all customers again for each of them. It also takes any expression for null in
    one row of 200: of a bronze table, in which hardly a row is deleted, it would expect that few to
    have no `deleted_at`. SQL Server looks by itself, when it first needs to know.

    A refresh within a day only looks for new batches, in a tenth of the rows it would look at else.
#}
{% macro gather_statistics() -%}
    {{ return(adapter.dispatch('gather_statistics', 'medallion')()) }}
{%- endmacro %}

{% macro default__gather_statistics() -%}
    {%- set is_kept = model.config.materialized == 'incremental' -%}
    {%- set batches = [] -%}
    {%- for name in model.columns if name.endswith('_batch_id') -%}
        {%- do batches.append(adapter.quote(name)) -%}
    {%- endfor -%}
    {%- if is_kept and medallion.tested_batch() -%}
        {{ 'analyze ' ~ this ~ ' (' ~ batches | join(', ') ~ ')' if batches }}
    {%- else -%}
        {%- if is_kept and batches %}
        alter table {{ this }}
            {%- for batch in batches %}
            alter column {{ batch }} set statistics 10 {{- ',' if not loop.last }}
            {%- endfor %};
        {%- endif %}
        {%- if is_kept and '_deleted_at' in model.columns %}
        create statistics if not exists
            {{ this.include(database=false, identifier=false) }}.{{ adapter.quote(local_md5(this.identifier)) }}
            on {{ medallion.utc_timestamp('_deleted_at') }} from {{ this }};
        {%- endif %}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}

{% macro sqlserver__gather_statistics() -%}
{%- endmacro %}
