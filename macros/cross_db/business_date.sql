{#
    The day of the business on which a moment (a naive UTC timestamp) falls, in the time zone that
    the variable `business_time_zone` names for each engine, or in `zone`. Both engines know when a
    zone has daylight saving.

    Without it: `cast(closed_at as date)` is the day in UTC, so what is closed in Tokyo before nine
    in the morning counts as yesterday's; and each engine has its own names for time zones.
#}
{% macro business_date(utc_timestamp, zone=none) -%}
    {%- set zone = zone or medallion.business_time_zone() -%}
    cast(
        {{ utc_timestamp }} at time zone 'UTC' at time zone '{{ escape_single_quotes(zone) }}'
        as date
    )
{%- endmacro %}


{# The time zone of the business, under the name that the target's engine has for it. #}
{% macro business_time_zone() -%}
    {{ return(medallion.zone_of_engine(var('business_time_zone'), target.type)) }}
{%- endmacro %}


{% macro zone_of_engine(zones, engine) -%}
    {%- if zones is not mapping or engine not in zones -%}
        {{ exceptions.raise_compiler_error(
            "The variable business_time_zone has no zone for " ~ engine ~ ": it is " ~ zones
            ~ ". Write {postgres: Asia/Tokyo, sqlserver: Tokyo Standard Time}."
        ) }}
    {%- endif -%}
    {{ return(zones[engine]) }}
{%- endmacro %}
