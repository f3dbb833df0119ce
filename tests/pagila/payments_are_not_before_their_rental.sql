{{ config(severity='warn') }}

select
    payments.payment_id,
    payments.rental_id,
    payments.paid_at,
    rentals.rented_at
from {{ ref('fact_payment') }} as payments
inner join {{ ref('fact_rental') }} as rentals on payments.rental_id = rentals.rental_id
where payments.paid_at < rentals.rented_at
