select
    -- ids
    store_id,
    manager_staff_id,
    address_id,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_pagila__store') }}
