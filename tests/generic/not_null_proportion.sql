{#
    Fails with one row when the share of values that are not null is under at_least or over at_most
    (0.95 is 95 %). An empty relation passes.
#}
{% test not_null_proportion(model, column_name, at_least, at_most=1) %}

{#- multiplied rather than divided: no rounding, no division by zero #}
select
    count(*) as row_count,
    count({{ column_name }}) as not_null_count
from {{ model }}
having
    count({{ column_name }}) < {{ at_least }} * count(*)
    or count({{ column_name }}) > {{ at_most }} * count(*)

{% endtest %}
