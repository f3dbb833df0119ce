{# `accepted_range` under the name that dbt_expectations gives it. #}
{% test expect_column_values_to_be_between(
    model, column_name, min_value=none, max_value=none, strictly=false
) %}

{{ medallion.test_accepted_range(model, column_name, min_value, max_value, not strictly) }}

{% endtest %}
