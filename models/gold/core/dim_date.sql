{%- set first_day = "cast('" ~ var('dim_date_start') ~ "' as date)" -%}
{%- set last_year = run_started_at.year + var('dim_date_years_ahead') | int -%}
{%- set last_day = "cast('" ~ last_year ~ "-12-31' as date)" -%}

with days as (

    {{ date_spine_days(first_day, last_day) }}

),

parts as (

    select
        date_day,
        {{ date_part('year', 'date_day') }} as calendar_year,
        {{ date_part('quarter', 'date_day') }} as calendar_quarter,
        {{ date_part('month', 'date_day') }} as month_of_year,
        {{ date_part('day', 'date_day') }} as day_of_month,
        {{ date_part('dayofyear', 'date_day') }} as day_of_year,
        {{ date_part('isoyear', 'date_day') }} as iso_year,
        {{ date_part('week', 'date_day') }} as iso_week,
        {{ date_part('dayofweek', 'date_day') }} as day_of_week
    from days

),

final as (

    select
        date_day,
        calendar_year,
        calendar_quarter,
        month_of_year,
        case month_of_year
            {%- for name in [
                'January', 'February', 'March', 'April', 'May', 'June', 'July',
                'August', 'September', 'October', 'November', 'December'
            ] %}
            when {{ loop.index }} then '{{ name }}'
            {%- endfor %}
        end as month_name,
        day_of_month,
        day_of_year,
        iso_year,
        iso_week,
        day_of_week,
        case day_of_week
            {%- for name in [
                'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'
            ] %}
            when {{ loop.index }} then '{{ name }}'
            {%- endfor %}
        end as day_name,
        {{ to_boolean('day_of_week in (6, 7)') }} as is_weekend,
        {{ to_boolean(
            date_part('day', dbt.dateadd('day', 1, 'date_day')) ~ ' = 1'
        ) }} as is_month_end
    from parts

)

select * from final
