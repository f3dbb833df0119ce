{#
    Fails with one row when the latest value is older than the interval, or when there is none at
    all. The field is a date or a naive UTC timestamp; landing tables have source freshness instead.
#}
{% test recency(model, field, datepart, interval) %}

    {%- set now = medallion.current_utc_timestamp() %}
    {%- set oldest = dbt.dateadd(datepart, -1 * interval, now) | trim %}
select max({{ field }}) as most_recent
from {{ model }}
having
    max({{ field }}) is null
    or max({{ field }}) < {{ oldest }}

{% endtest %}
