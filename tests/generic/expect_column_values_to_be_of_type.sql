{#
    Fails with one row that names both types when the column is of another type. The type is one of
    dbt's portable names (string, integer, bigint, numeric, boolean, date, timestamp) or the
    engine's own. Length and precision are not compared: an enforced contract does that.
#}
{% test expect_column_values_to_be_of_type(model, column_name, column_type) %}

{{ medallion.column_type_differences(model, column_name, column_type) }}

{% endtest %}
