select
    -- ids
    id as user_id,

    -- text
    first_name,
    last_name,
    nullif(lower(trim(email)), '') as email,

    -- dates
    date_of_birth,

    -- timestamps
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_film_catalog__users') }}
