with payments as (

    select * from {{ ref('stg_pagila__payments') }}

),

-- Deleted rentals too: a payment stays in the store that took it.
rentals as (

    select * from {{ ref('stg_pagila__rentals') }}

),

inventory as (

    select * from {{ ref('stg_pagila__inventory') }}

),

-- Inner joins: a payment whose rental or copy has not landed waits for it.
final as (

    select
        payments.payment_id,
        payments.rental_id,
        payments.customer_id,
        payments.staff_id,
        inventory.film_id,
        inventory.store_id,
        payments.amount,
        payments.paid_at,
        payments._batch_id as _payment_batch_id,
        rentals._batch_id as _rental_batch_id,
        inventory._batch_id as _inventory_batch_id
    from payments
    inner join rentals on payments.rental_id = rentals.rental_id
    inner join inventory on rentals.inventory_id = inventory.inventory_id
    where payments.deleted_at is null

)

select * from final
