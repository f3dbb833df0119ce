{#
    Fails with every row for which the condition is false; null is not false. On a column, the
    column's name is put in front of the expression (`expression: "> 0"`).
#}
{% test expression_is_true(model, expression, column_name=none) %}

select *
from {{ model }}
where not ({{ column_name ~ ' ' if column_name }}{{ expression }})

{% endtest %}
