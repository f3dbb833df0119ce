with source_payments as (

    select
        count(*) as payments,
        sum(amount) as revenue
    from {{ ref('br_pagila__payment') }}
    where _deleted_at is null

),

facts as (

    select
        count(*) as payments,
        sum(amount) as revenue
    from {{ ref('fact_payment') }}

)

select
    source_payments.payments as source_payments,
    facts.payments as fact_payments,
    source_payments.revenue as source_revenue,
    facts.revenue as fact_revenue
from source_payments
cross join facts
where
    source_payments.payments <> facts.payments
    or source_payments.revenue <> facts.revenue
