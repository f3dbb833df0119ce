with films as (

    select * from {{ ref('stg_pagila__films') }}

),

languages as (

    select * from {{ ref('stg_pagila__languages') }}

),

film_categories as (

    select * from {{ ref('stg_pagila__film_categories') }}

),

categories as (

    select * from {{ ref('stg_pagila__categories') }}

),

film_actors as (

    select * from {{ ref('stg_pagila__film_actors') }}

),

actors as (

    select
        actor_id,
        {{ dbt.concat(['first_name', "' '", 'last_name']) }} as actor_name
    from {{ ref('stg_pagila__actors') }}

),

categories_per_film as (

    select
        film_categories.film_id,
        {{ text_list('categories.category_name') }} as categories
    from film_categories
    inner join categories on film_categories.category_id = categories.category_id
    group by film_categories.film_id

),

actors_per_film as (

    select
        film_actors.film_id,
        {{ text_list('actors.actor_name') }} as actors
    from film_actors
    inner join actors on film_actors.actor_id = actors.actor_id
    group by film_actors.film_id

),

final as (

    select
        films.film_id,
        films.title,
        films.description,
        languages.language_name,
        cast(categories_per_film.categories as {{ dbt.type_string() }}) as categories,
        cast(actors_per_film.actors as {{ dbt.type_string() }}) as actors,
        films.mpaa_rating,
        cast(films.special_features as {{ dbt.type_string() }}) as special_features,
        films.release_year,
        films.length_minutes,
        films.rental_duration_days,
        films.rental_rate,
        films.replacement_cost,
        {{ to_boolean('films.deleted_at is not null') }} as is_deleted
    from films
    left join languages on films.language_id = languages.language_id
    left join categories_per_film on films.film_id = categories_per_film.film_id
    left join actors_per_film on films.film_id = actors_per_film.film_id

)

select * from final
