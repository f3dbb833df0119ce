{# A run that says it is running, and was not heard of since this moment, is dead. #}
{% macro abandoned_before() -%}
    {{ dbt.dateadd('hour', -1 * var('abandoned_after_hours'), current_utc_timestamp()) }}
{%- endmacro %}
