{# Fails with one row when the relation has fewer rows than min_value or more than max_value. #}
{% test expect_table_row_count_to_be_between(model, min_value=none, max_value=none) %}

select count(*) as row_count
from {{ model }}
having {{ medallion.outside_range('count(*)', min_value, max_value) }}

{% endtest %}
