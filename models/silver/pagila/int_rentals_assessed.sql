with rentals as (

    select * from {{ ref('stg_pagila__rentals') }}

),

inventory as (

    select * from {{ ref('stg_pagila__inventory') }}

),

films as (

    select * from {{ ref('stg_pagila__films') }}

),

-- Inner joins: a rental whose copy or film has not landed waits for it.
located as (

    select
        rentals.rental_id,
        rentals.customer_id,
        rentals.staff_id,
        inventory.film_id,
        inventory.store_id,
        rentals.rented_at,
        {{ dbt.dateadd('day', 'films.rental_duration_days', 'rentals.rented_at') }} as due_at,
        rentals.returned_at,
        rentals._batch_id as _rental_batch_id,
        inventory._batch_id as _inventory_batch_id,
        films._batch_id as _film_batch_id
    from rentals
    inner join inventory on rentals.inventory_id = inventory.inventory_id
    inner join films on inventory.film_id = films.film_id
    where rentals.deleted_at is null

),

final as (

    select
        rental_id,
        customer_id,
        staff_id,
        film_id,
        store_id,
        rented_at,
        due_at,
        returned_at,
        {{ to_boolean('returned_at is not null') }} as is_returned,
        {{ to_boolean('returned_at > due_at') }} as is_late,
        case
            when returned_at is null then null
            when returned_at > due_at then {{ days_begun('due_at', 'returned_at') }}
            else 0
        end as days_late,
        _rental_batch_id,
        _inventory_batch_id,
        _film_batch_id
    from located

)

select * from final
