{#
    Fails with every row whose text doesn't match the regular expression; null is left out.
    On SQL Server see `matches_regex`: without a tsql_condition it needs version 2025.
#}
{% test expect_column_values_to_match_regex(model, column_name, regex, tsql_condition=none) %}

select *
from {{ model }}
where
    {{ column_name }} is not null
    and not {{ medallion.matches_regex(column_name, regex, tsql_condition) }}

{% endtest %}
