select
    -- ids
    rental_id,
    inventory_id,
    customer_id,
    staff_id,

    -- timestamps
    {{ utc_timestamp('rental_date') }} as rented_at,
    {{ utc_timestamp('return_date') }} as returned_at,
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_pagila__rental') }}
