with films as (

    select * from {{ ref('stg_film_catalog__films') }}
    where deleted_at is null

),

film_actors as (

    select * from {{ ref('stg_film_catalog__film_actors') }}

),

actors as (

    select * from {{ ref('stg_film_catalog__actors') }}

),

film_categories as (

    select * from {{ ref('stg_film_catalog__film_categories') }}

),

actors_per_film as (

    select
        film_actors.film_id,
        count(*) as actor_count,
        {{ text_list('actors.actor_name') }} as actors
    from film_actors
    inner join actors on film_actors.actor_id = actors.actor_id
    group by film_actors.film_id

),

-- A category that is said twice is listed once.
distinct_categories as (

    select distinct
        film_id,
        category_name
    from film_categories

),

categories_per_film as (

    select
        film_id,
        {{ text_list('category_name') }} as categories
    from distinct_categories
    group by film_id

),

final as (

    select
        films.film_id,
        films.title,
        films.release_date,
        films.price,
        films.mpaa_rating,
        films.user_rating,
        {{ film_rating_category('films.user_rating') }} as rating_category,
        cast(categories_per_film.categories as {{ dbt.type_string() }}) as categories,
        cast(actors_per_film.actors as {{ dbt.type_string() }}) as actors,
        cast(coalesce(actors_per_film.actor_count, 0) as integer) as actor_count
    from films
    left join actors_per_film on films.film_id = actors_per_film.film_id
    left join categories_per_film on films.film_id = categories_per_film.film_id

)

select * from final
