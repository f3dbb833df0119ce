with metrics as (

    select
        coalesce(sum(rentals), 0) as rentals,
        coalesce(sum(returns), 0) as returns,
        coalesce(sum(late_returns), 0) as late_returns,
        coalesce(sum(payments), 0) as payments,
        coalesce(sum(revenue), 0) as revenue
    from {{ ref('metrics_daily_rentals') }}

),

rentals as (

    select
        count(*) as rentals,
        count(returned_at) as returns,
        coalesce(sum(case when {{ is_true('is_late') }} then 1 else 0 end), 0) as late_returns
    from {{ ref('fact_rental') }}

),

payments as (

    select
        count(*) as payments,
        coalesce(sum(amount), 0) as revenue
    from {{ ref('fact_payment') }}

)

select
    metrics.rentals as metrics_rentals,
    rentals.rentals as fact_rentals,
    metrics.returns as metrics_returns,
    rentals.returns as fact_returns,
    metrics.late_returns as metrics_late_returns,
    rentals.late_returns as fact_late_returns,
    metrics.payments as metrics_payments,
    payments.payments as fact_payments,
    metrics.revenue as metrics_revenue,
    payments.revenue as fact_revenue
from metrics
cross join rentals
cross join payments
where
    metrics.rentals <> rentals.rentals
    or metrics.returns <> rentals.returns
    or metrics.late_returns <> rentals.late_returns
    or metrics.payments <> payments.payments
    or metrics.revenue <> payments.revenue
