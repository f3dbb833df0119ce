{#
    The date that a text says; null when it says none, or a day that no calendar has. Understood are

        2026-02-28     also with a time behind it, which is left out: 2026-02-28 17:30, 2026-02-28T17:30
        28.02.2026
        02/28/2026     the month first

    and blanks around. Nothing else: 1/2/26 may be any of three days.

    Without it: Postgres has no `try_cast`, and its `cast`, `to_date` and `make_date` fail on
    2026-02-30, so that one bad row ends the run. SQL Server's `try_convert` reads much more than
    its style says (20260228, 2026, an empty text as 1900-01-01), so that it is asked only when the
    text has the style's form.
#}
{% macro safe_date(expression) -%}
    {{ return(adapter.dispatch('safe_date', 'medallion')(expression)) }}
{%- endmacro %}

{% macro default__safe_date(expression) -%}
    {%- set text = 'trim(' ~ expression ~ ')' -%}
    {%- set yyyy, mm, dd = '(?!0000)[0-9]{4}', '(0[1-9]|1[0-2])', '(0[1-9]|[12][0-9]|3[01])' -%}
    {%- set time = '([ T][0-9]{2}:[0-9]{2}.*)?' -%}
    {#- the form, and where in it year, month and day begin -#}
    {%- set forms = [
        (yyyy ~ '-' ~ mm ~ '-' ~ dd ~ time, 1, 6, 9),
        (dd ~ '[.]' ~ mm ~ '[.]' ~ yyyy, 7, 4, 1),
        (mm ~ '/' ~ dd ~ '/' ~ yyyy, 7, 1, 4),
    ] -%}
    case
        {%- for form, year, month, day in forms %}
        {%- set month_start -%}
            make_date(
                cast(substr({{ text }}, {{ year }}, 4) as integer),
                cast(substr({{ text }}, {{ month }}, 2) as integer),
                1
            )
        {%- endset -%}
        {%- set day_of_month = 'cast(substr(' ~ text ~ ', ' ~ day ~ ', 2) as integer)' -%}
        {%- set counted = month_start ~ ' + (' ~ day_of_month ~ ' - 1)' %}
        when {{ text }} ~ '^{{ form }}$'
            then case
                {#- the 30 of 2026-02-30, counted from the 1st, is another day of another month #}
                when extract(day from {{ counted }}) = {{ day_of_month }} then {{ counted }}
            end
        {%- endfor %}
    end
{%- endmacro %}

{% macro sqlserver__safe_date(expression) -%}
    {%- set text = 'trim(' ~ expression ~ ')' -%}
    {%- set d2 = '[0-9][0-9]' -%}
    {%- set d4 = d2 ~ d2 -%}
    {%- set iso = d4 ~ '-' ~ d2 ~ '-' ~ d2 -%}
    case
        when {{ text }} like '{{ iso }}' or {{ text }} like '{{ iso }}[ T]{{ d2 }}:{{ d2 }}%'
            then try_convert(date, left({{ text }}, 10), 23)
        when {{ text }} like '{{ d2 }}.{{ d2 }}.{{ d4 }}' then try_convert(date, {{ text }}, 104)
        when {{ text }} like '{{ d2 }}/{{ d2 }}/{{ d4 }}' then try_convert(date, {{ text }}, 101)
    end
{%- endmacro %}
