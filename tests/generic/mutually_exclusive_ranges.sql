{#
    Fails with every row whose range is upside down or reaches into the next one of its partition.
    The lower bound belongs to the range, the upper one doesn't; a null upper bound is open, as in
    the current row of a snapshot.

    gaps: `allowed`, `not_allowed` (each range starts where the one before it ends) or `required`.
#}
{% test mutually_exclusive_ranges(
    model,
    lower_bound_column,
    upper_bound_column,
    partition_by=none,
    gaps='allowed',
    zero_length_range_allowed=false
) %}

    {%- set fits = {'allowed': '<=', 'not_allowed': '=', 'required': '<'} -%}
    {%- if gaps not in fits -%}
        {{ exceptions.raise_compiler_error(
            "mutually_exclusive_ranges doesn't know gaps: " ~ gaps ~ ". Use one of: "
            ~ fits | join(', ') ~ "."
        ) }}
    {%- endif %}
with ranges as (
    select
        {{ partition_by ~ ' as range_partition,' if partition_by }}
        {{ lower_bound_column }} as lower_bound,
        {{ upper_bound_column }} as upper_bound,
        lead({{ lower_bound_column }}) over (
            {{ 'partition by ' ~ partition_by if partition_by }}
            {#- null is last on Postgres and first on SQL Server #}
            order by
                {{ lower_bound_column }},
                case when {{ upper_bound_column }} is null then 1 else 0 end,
                {{ upper_bound_column }}
        ) as next_lower_bound
    from {{ model }}
)

select *
from ranges
where
    lower_bound is null
    or lower_bound {{ '>' if zero_length_range_allowed else '>=' }} upper_bound
    or (
        next_lower_bound is not null
        and (upper_bound is null or not (upper_bound {{ fits[gaps] }} next_lower_bound))
    )

{% endtest %}
