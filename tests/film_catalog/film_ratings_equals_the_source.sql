with source_films as (

    select film_id
    from {{ ref('br_film_catalog__films') }}
    where _deleted_at is null

),

ratings as (

    select film_id from {{ ref('film_ratings') }}

)

select
    source_films.film_id as source_film_id,
    ratings.film_id as rated_film_id
from source_films
full join ratings on source_films.film_id = ratings.film_id
where source_films.film_id is null or ratings.film_id is null
