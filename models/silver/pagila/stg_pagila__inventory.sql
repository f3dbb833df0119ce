select
    -- ids
    inventory_id,
    film_id,
    store_id,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,

    -- batch
    _batch_id

from {{ ref('br_pagila__inventory') }}
