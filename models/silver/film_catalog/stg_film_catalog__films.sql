select
    -- ids
    film_id,

    -- text
    title,
    nullif(upper(trim(rating)), '') as mpaa_rating,

    -- numerics
    cast(price as numeric(18, 2)) as price,
    cast(user_rating as numeric(4, 2)) as user_rating,

    -- dates
    release_date,

    -- timestamps
    {{ utc_timestamp('_deleted_at') }} as deleted_at,
    {{ utc_timestamp('_loaded_at') }} as loaded_at,

    -- batch
    _batch_id

from {{ ref('br_film_catalog__films') }}
