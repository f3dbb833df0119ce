select
    -- ids
    film_id,
    category_id,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at

from {{ ref('br_pagila__film_category') }}
where _deleted_at is null
