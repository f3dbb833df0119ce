select
    -- ids
    actor_id,

    -- text
    first_name,
    last_name,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at

from {{ ref('br_pagila__actor') }}
