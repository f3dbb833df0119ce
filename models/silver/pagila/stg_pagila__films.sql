select
    -- ids
    film_id,
    language_id,
    original_language_id,

    -- text
    trim(title) as title,
    description,
    rating as mpaa_rating,
    nullif({{ array_to_text('special_features') }}, '') as special_features,

    -- numerics
    release_year,
    cast(length as integer) as length_minutes,
    cast(rental_duration as integer) as rental_duration_days,
    cast(rental_rate as numeric(18, 2)) as rental_rate,
    cast(replacement_cost as numeric(18, 2)) as replacement_cost,

    -- timestamps
    {{ utc_timestamp('last_update') }} as updated_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_pagila__film') }}
