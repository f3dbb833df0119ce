select
    -- ids
    film_id,
    actor_id,

    -- timestamps
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_film_catalog__film_actors') }}
