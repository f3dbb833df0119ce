select
    -- ids
    country_id,

    -- text
    country as country_name,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at

from {{ ref('br_pagila__country') }}
