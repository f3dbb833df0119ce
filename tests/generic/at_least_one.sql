{# Fails with one row when the column holds no value at all; so does an empty relation. #}
{% test at_least_one(model, column_name) %}

select count({{ column_name }}) as not_null_count
from {{ model }}
having count({{ column_name }}) = 0

{% endtest %}
