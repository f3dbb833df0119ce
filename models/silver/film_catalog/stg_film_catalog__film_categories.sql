select
    -- ids
    category_id as film_category_id,
    film_id,

    -- text
    trim(category_name) as category_name,

    -- timestamps
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_film_catalog__film_category') }}
