{# Fails by the number of rows that one of the two relations has more than the other. #}
{% test equal_rowcount(model, compare_model) %}

    {{ config(fail_calc='coalesce(max(row_count_difference), 0)') }}

with counted as (
    select
        (select count(*) from {{ model }}) as row_count,
        (select count(*) from {{ compare_model }}) as compared_row_count
)

select
    row_count,
    compared_row_count,
    abs(row_count - compared_row_count) as row_count_difference
from counted
where row_count <> compared_row_count

{% endtest %}
