select
    -- ids
    customer_id,
    store_id,
    address_id,

    -- text
    first_name,
    last_name,
    nullif(lower(trim(email)), '') as email,

    -- booleans
    {{ to_boolean(
        'active = 1 or (active is null and ' ~ is_true('activebool') ~ ')'
    ) }} as is_active,

    -- dates
    create_date as registered_date,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,
    {{ utc_timestamp('_loaded_at') }} as loaded_at

from {{ ref('br_pagila__customer') }}
