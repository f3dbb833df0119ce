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
    payments.customer_id as paying_customer_id,
    rentals.customer_id as renting_customer_id
from payments
inner join rentals on payments.rental_id = rentals.rental_id
where payments.customer_id <> rentals.customer_id
