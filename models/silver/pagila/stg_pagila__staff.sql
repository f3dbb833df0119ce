select
    -- ids
    staff_id,
    store_id,
    address_id,

    -- text
    first_name,
    last_name,
    email,
    username,

    -- booleans
    active as is_active,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_pagila__staff') }}
