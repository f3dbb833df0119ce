with costs as (

    select * from {{ ref('stg_miyabi__infrastructure_costs') }}

),

services as (

    select
        service_name,
        min(cost_date) as first_date,
        max(cost_date) as last_date
    from costs
    group by service_name

),

days as (

    {{ date_spine_days(
        '(select min(first_date) from services)', '(select max(last_date) from services)'
    ) }}

),

-- Days without a bill too, so that seven rows are a week.
daily as (

    select
        services.service_name,
        days.date_day as cost_date,
        costs.cost_usd
    from services
    inner join days on days.date_day between services.first_date and services.last_date
    left join costs
        on services.service_name = costs.service_name and days.date_day = costs.cost_date

),

-- T-SQL gives averages as many digits as the numbers have, and cuts the rest off.
averaged as (

    select
        service_name,
        cost_date,
        cost_usd,
        cast(avg(cast(cost_usd as numeric(28, 12))) over (
            partition by service_name order by cost_date
            rows between 6 preceding and current row
        ) as numeric(18, 8)) as seven_day_average_usd,
        cast(avg(cast(cost_usd as numeric(28, 12))) over (
            partition by service_name order by cost_date
            rows between 13 preceding and 7 preceding
        ) as numeric(18, 8)) as previous_seven_day_average_usd,
        row_number() over (partition by service_name order by cost_date) as day_number
    from daily

),

final as (

    select
        cost_date,
        service_name,
        cast(cost_usd as numeric(18, 4)) as cost_usd,
        cast(seven_day_average_usd as numeric(18, 4)) as seven_day_average_usd,
        cast(
            case
                when day_number >= 14
                    then seven_day_average_usd / nullif(previous_seven_day_average_usd, 0) - 1
            end as numeric(18, 4)
        ) as change_on_week_before
    from averaged

)

select * from final
