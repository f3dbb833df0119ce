with rentals as (

    select * from {{ ref('fact_rental') }}

),

returned_rentals as (

    select * from {{ ref('fact_rental') }}
    where returned_at is not null

),

payments as (

    select * from {{ ref('fact_payment') }}

),

rented as (

    select
        store_id,
        cast(rented_at as date) as date_day,
        count(*) as rentals
    from rentals
    group by store_id, cast(rented_at as date)

),

returned as (

    select
        store_id,
        cast(returned_at as date) as date_day,
        count(*) as returns,
        sum(case when {{ is_true('is_late') }} then 1 else 0 end) as late_returns
    from returned_rentals
    group by store_id, cast(returned_at as date)

),

paid as (

    select
        store_id,
        cast(paid_at as date) as date_day,
        count(*) as payments,
        sum(amount) as revenue
    from payments
    group by store_id, cast(paid_at as date)

),

active_days as (

    select
        store_id,
        date_day
    from rented
    union
    select
        store_id,
        date_day
    from returned
    union
    select
        store_id,
        date_day
    from paid

),

final as (

    select
        active_days.date_day,
        active_days.store_id,
        cast(coalesce(rented.rentals, 0) as integer) as rentals,
        cast(coalesce(returned.returns, 0) as integer) as returns,
        cast(coalesce(returned.late_returns, 0) as integer) as late_returns,
        cast(coalesce(paid.payments, 0) as integer) as payments,
        cast(coalesce(paid.revenue, 0) as numeric(18, 2)) as revenue,
        cast(paid.revenue / paid.payments as numeric(18, 2)) as average_ticket
    from active_days
    left join rented
        on active_days.store_id = rented.store_id and active_days.date_day = rented.date_day
    left join returned
        on active_days.store_id = returned.store_id and active_days.date_day = returned.date_day
    left join paid
        on active_days.store_id = paid.store_id and active_days.date_day = paid.date_day

)

select * from final
