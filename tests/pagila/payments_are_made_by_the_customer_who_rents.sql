{{ config(severity='warn') }}

select
    payments.payment_id,
    payments.rental_id,
    payments.customer_id as paying_customer_id,
    rentals.customer_id as renting_customer_id
from {{ ref('fact_payment') }} as payments
inner join {{ ref('fact_rental') }} as rentals on payments.rental_id = rentals.rental_id
where payments.customer_id <> rentals.customer_id
