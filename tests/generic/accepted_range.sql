{# Fails with every row whose value is outside the range; null is not outside. #}
{% test accepted_range(model, column_name, min_value=none, max_value=none, inclusive=true) %}

select *
from {{ model }}
where {{ medallion.outside_range(column_name, min_value, max_value, inclusive) }}

{% endtest %}
