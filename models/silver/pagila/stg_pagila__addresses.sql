select
    -- ids
    address_id,
    city_id,

    -- text
    address as address_line_1,
    nullif(address2, '') as address_line_2,
    nullif(district, '') as district,
    nullif(postal_code, '') as postal_code,
    nullif(phone, '') as phone,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_pagila__address') }}
