{%- set first_day = "cast('" ~ var('dim_date_start') ~ "' as date)" -%}
{%- set last_year = run_started_at.year + var('dim_date_years_ahead') | int -%}
{%- set last_day = "cast('" ~ last_year ~ "-12-31' as date)" -%}
{%- set fiscal_start = var('fiscal_year_first_month') | int -%}
{%- if fiscal_start < 1 or fiscal_start > 12 -%}
    {{ exceptions.raise_compiler_error(
        "The variable fiscal_year_first_month is a month, 1 to 12, not "
        ~ var('fiscal_year_first_month') ~ ". Set it in dbt_project.yml."
    ) }}
{%- endif -%}

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

months as (

    select
        *,
        (month_of_year + {{ 12 - fiscal_start }}) % 12 + 1 as fiscal_month,
        cast({{ dbt.dateadd('day', '1 - day_of_week', 'date_day') }} as date) as week_start_date,
        cast({{ dbt.dateadd('day', '1 - day_of_month', 'date_day') }} as date) as month_start_date
    from parts

),

periods as (

    select
        *,
        (fiscal_month - 1) / 3 + 1 as fiscal_quarter,
        cast({{ dbt.dateadd(
            'day', -1, dbt.dateadd('month', 1, 'month_start_date')
        ) }} as date) as month_end_date,
        cast({{ dbt.dateadd(
            'month', '0 - (month_of_year - 1) % 3', 'month_start_date'
        ) }} as date) as quarter_start_date,
        cast({{ dbt.dateadd(
            'month', '1 - month_of_year', 'month_start_date'
        ) }} as date) as year_start_date,
        cast({{ dbt.dateadd(
            'month', '0 - (fiscal_month - 1) % 3', 'month_start_date'
        ) }} as date) as fiscal_quarter_start_date,
        cast({{ dbt.dateadd(
            'month', '1 - fiscal_month', 'month_start_date'
        ) }} as date) as fiscal_year_start_date
    from months

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
        year_start_date,
        quarter_start_date,
        month_start_date,
        month_end_date,
        {{ to_boolean('date_day = month_end_date') }} as is_month_end,
        iso_year,
        iso_week,
        week_start_date,
        day_of_week,
        case day_of_week
            {%- for name in [
                'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'
            ] %}
            when {{ loop.index }} then '{{ name }}'
            {%- endfor %}
        end as day_name,
        {{ to_boolean('day_of_week in (6, 7)') }} as is_weekend,
        -- named after the calendar year in which it ends
        {{ date_part('year', dbt.dateadd('month', 11, 'fiscal_year_start_date')) }} as fiscal_year,
        fiscal_quarter,
        fiscal_month,
        fiscal_year_start_date,
        fiscal_quarter_start_date
    from periods

)

select * from final
