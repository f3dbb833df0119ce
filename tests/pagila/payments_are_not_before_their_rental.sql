{{ config(severity='warn') }}

with payments as (

    select * from {{ ref('fact_payment') }}

),

rentals as (

    select * from {{ ref('fact_rental') }}

)

select
    payments.payment_id,
    payments.rental_id,
    payments.paid_at,
    rentals.rented_at
from payments
inner join rentals on payments.rental_id = rentals.rental_id
where payments.paid_at < rentals.rented_at
