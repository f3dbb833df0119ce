select
    -- ids
    language_id,

    -- text
    trim(name) as language_name,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at

from {{ ref('br_pagila__language') }}
