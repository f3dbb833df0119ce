with source_payments as (

    select
        payment_id,
        {{ utc_timestamp('payment_date') }} as paid_at,
        cast(amount as numeric(18, 2)) as amount
    from {{ ref('br_pagila__payment') }}
    where _deleted_at is null

),

facts as (

    select
        payment_id,
        paid_at,
        amount
    from {{ ref('fact_payment') }}

)

select
    source_payments.payment_id as source_payment_id,
    facts.payment_id as fact_payment_id,
    source_payments.amount as source_amount,
    facts.amount as fact_amount
from source_payments
full join facts
    on
        source_payments.payment_id = facts.payment_id
        and source_payments.paid_at = facts.paid_at
where
    source_payments.payment_id is null
    or source_payments.amount <> facts.amount
    -- A payment that has just been made may wait for its rental.
    or (facts.payment_id is null and {{ is_settled('source_payments.paid_at') }})
