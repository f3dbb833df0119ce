{#
    A select with one row per group and a column for each percentile of a value, interpolated;
    nulls don't count. `fractions` gives the columns their fractions: `{'p50': 0.5, 'p95': 0.95}`.

    Without it: `percentile_cont` is an aggregate on Postgres and a window function on SQL Server,
    where it can't stand beside a `group by`.
#}
{% macro percentiles(relation, group_by, value, fractions) -%}
    {{ return(adapter.dispatch('percentiles', 'medallion')(relation, group_by, value, fractions)) }}
{%- endmacro %}

{% macro default__percentiles(relation, group_by, value, fractions) -%}
    select
        {%- for column in group_by %}
        {{ column }},
        {%- endfor %}
        {%- for name, fraction in fractions.items() %}
        percentile_cont({{ fraction }}) within group (order by {{ value }}) as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    group by {{ group_by | join(', ') }}
{%- endmacro %}

{% macro sqlserver__percentiles(relation, group_by, value, fractions) -%}
    select distinct
        {%- for column in group_by %}
        {{ column }},
        {%- endfor %}
        {%- for name, fraction in fractions.items() %}
        percentile_cont({{ fraction }}) within group (order by {{ value }})
            over (partition by {{ group_by | join(', ') }}) as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}
