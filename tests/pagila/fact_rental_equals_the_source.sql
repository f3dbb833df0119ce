with source_rentals as (

    select
        rental_id,
        {{ utc_timestamp('last_update') }} as updated_at
    from {{ ref('br_pagila__rental') }}
    where _deleted_at is null

),

facts as (

    select rental_id from {{ ref('fact_rental') }}

)

select
    source_rentals.rental_id as source_rental_id,
    facts.rental_id as fact_rental_id
from source_rentals
full join facts on source_rentals.rental_id = facts.rental_id
where
    source_rentals.rental_id is null
    -- A rental that has just been written may wait for its copy.
    or (facts.rental_id is null and {{ is_settled('source_rentals.updated_at') }})
