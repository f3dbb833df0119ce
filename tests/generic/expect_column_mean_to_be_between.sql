{#
    Fails with one row when the mean of the column is under min_value or over max_value. Nulls don't
    count; a column without any value passes.
#}
{% test expect_column_mean_to_be_between(
    model, column_name, min_value=none, max_value=none, strictly=false
) %}

    {#- 1.0: the mean of integers is an integer on SQL Server #}
    {%- set mean = 'avg(1.0 * ' ~ column_name ~ ')' %}
select {{ mean }} as mean_value
from {{ model }}
having {{ medallion.outside_range(mean, min_value, max_value, not strictly) }}

{% endtest %}
