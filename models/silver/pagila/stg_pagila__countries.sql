select
    -- ids
    country_id,

    -- text
    country as country_name,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at

from {{ ref('br_pagila__country') }}
