{#
    The days that have begun between two timestamps, the second being the later: one for a second,
    one for exactly a day, two for a day and a second.

    Without it: `dbt.datediff` counts midnights, so a film that is two hours late is or isn't a day
    late, depending on the time of day.
#}
{% macro days_begun(start, end) -%}
    cast(ceiling({{ seconds_between(start, end) }} / 86400) as integer)
{%- endmacro %}
