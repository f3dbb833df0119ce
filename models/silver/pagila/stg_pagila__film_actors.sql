select
    -- ids
    film_id,
    actor_id,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at

from {{ ref('br_pagila__film_actor') }}
where _deleted_at is null
