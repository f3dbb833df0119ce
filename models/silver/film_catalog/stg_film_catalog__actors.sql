select
    -- ids
    actor_id,

    -- text
    actor_name,

    -- timestamps
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_film_catalog__actors') }}
