{#
    The rows of `relation` that a fact writes in this run. All of them when it is built anew; else

    - those of which an input has landed since the fact was built (`batch_ids`, one for each input),
      so that a change reaches gold however long after the event it comes;
    - with `--event-time-start` and `--event-time-end`, also those whose event is in that time (UTC,
      the end is excluded): a bounded backfill.

    A union and not one condition with `or`: each part can then start from the few rows of its own
    input, where an `or` over several inputs makes the engine join all of them in full.

    Not dbt's microbatch strategy: that reads the days before now and nothing else. A rental that is
    returned three weeks later, a row that lands late, a source that was down for longer than the
    lookback: all of them would be wrong in gold until somebody runs a backfill.
#}
{% macro rows_to_build(relation, event_time, batch_ids) -%}
    {%- if is_incremental() -%}
        {%- for batch_id in batch_ids %}
    {{ 'union' if not loop.first }}
    select * from {{ relation }}
    where
        {{ batch_id }} > {{
            built_batch() or '(select coalesce(max(' ~ batch_id ~ '), 0) from ' ~ this ~ ')'
        }}
        {%- endfor %}
        {%- set window = backfill_window() %}
        {%- if window %}
    union
    select * from {{ relation }}
    where
        {{ event_time }} >= cast('{{ window[0] }}' as {{ dbt.type_timestamp() }})
        and {{ event_time }} < cast('{{ window[1] }}' as {{ dbt.type_timestamp() }})
        {%- endif %}
    {%- else -%}
    select * from {{ relation }}
    {%- endif %}
{%- endmacro %}


{# Start and end of the backfill that the command line asks for; none without one. #}
{% macro backfill_window() -%}
    {%- set start = invocation_args_dict.get('event_time_start') -%}
    {%- set end = invocation_args_dict.get('event_time_end') -%}
    {{ return([start, end] if start and end else none) }}
{%- endmacro %}
