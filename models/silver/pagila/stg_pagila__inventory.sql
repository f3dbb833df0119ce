select
    -- ids
    inventory_id,
    film_id,
    store_id,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_pagila__inventory') }}
