{#
    Fails with every row whose date or naive UTC timestamp is later than now plus the interval.
    Dates in the local time of a place east of Greenwich need an interval of a day.
#}
{% test not_in_future(model, column_name, datepart='minute', interval=0) %}

    {%- set now = medallion.current_utc_timestamp() %}
    {%- set latest = dbt.dateadd(datepart, interval, now) | trim %}
select *
from {{ model }}
where {{ column_name }} > {{ latest }}

{% endtest %}
