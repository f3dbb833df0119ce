{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='film_id',
        on_schema_change='fail',
        meta={'whole_once_a_day': true},
        post_hook="{{ delete_gone_rows(ref('stg_film_catalog__films'), ['film_id']) }}",
    )
}}

{%- set a_category_has_landed -%}
    exists (
        select 1
        from {{ ref('stg_film_catalog__film_categories') }} as landed
        where landed._batch_id > {{ tested_batch() }}
    )
{%- endset %}

with films as (

    select * from {{ ref('stg_film_catalog__films') }}

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

{%- if is_incremental() %}

-- Of which something has landed, be it that something is gone. By ref: Postgres writes a CTE that is
-- read twice out in full.
changed_films as (

    select film_id
    from {{ ref('stg_film_catalog__films') }}
    where _batch_id > {{ tested_batch() }}
    union
    select film_id
    from {{ ref('stg_film_catalog__film_actors') }}
    where _batch_id > {{ tested_batch() }}
    union
    select film_actors_of_changed.film_id
    from {{ ref('stg_film_catalog__film_actors') }} as film_actors_of_changed
    inner join {{ ref('stg_film_catalog__actors') }} as changed_actors
        on film_actors_of_changed.actor_id = changed_actors.actor_id
    where changed_actors._batch_id > {{ tested_batch() }}
    union
    select film_id
    from {{ ref('stg_film_catalog__film_categories') }}
    where _batch_id > {{ tested_batch() }}

),
{%- endif %}

-- A category that is said twice is listed once.
distinct_categories as (

    select distinct
        film_id,
        category_name
    from film_categories
    where deleted_at is null
    {%- if is_incremental() %}
        and film_id in (select changed_films.film_id from changed_films)
    union
    select
        film_id,
        category_name
    from {{ ref('stg_film_catalog__film_categories') }}
    where deleted_at is null and {{ a_category_has_landed }}
    {%- endif %}

),

categories_per_film as (

    select
        film_id,
        {{ text_list('category_name') }} as categories
    from distinct_categories
    group by film_id

),

films_to_build as (

    select *
    from films
    where deleted_at is null
    {%- if is_incremental() %}
        and film_id in (
            select changed_films.film_id
            from changed_films
            union
            -- A category may turn out to be another film's: whose it was, only what is shown says.
            select shown.film_id
            from {{ this }} as shown
            left join categories_per_film on shown.film_id = categories_per_film.film_id
            where
                {{ a_category_has_landed }}
                and coalesce(shown.categories, '') <> coalesce(categories_per_film.categories, '')
        )
    {%- endif %}

),

actors_per_film as (

    select
        film_actors.film_id,
        count(*) as actor_count,
        {{ text_list('actors.actor_name') }} as actors
    from film_actors
    inner join actors on film_actors.actor_id = actors.actor_id
    where
        film_actors.deleted_at is null
        and actors.deleted_at is null
    {%- if is_incremental() %}
        and film_actors.film_id in (select films_to_build.film_id from films_to_build)
    {%- endif %}
    group by film_actors.film_id

),

final as (

    select
        films_to_build.film_id,
        films_to_build.title,
        films_to_build.release_date,
        films_to_build.price,
        films_to_build.mpaa_rating,
        films_to_build.user_rating,
        {{ film_rating_category('films_to_build.user_rating') }} as rating_category,
        cast(categories_per_film.categories as {{ dbt.type_string() }}) as categories,
        cast(actors_per_film.actors as {{ dbt.type_string() }}) as actors,
        cast(coalesce(actors_per_film.actor_count, 0) as integer) as actor_count
    from films_to_build
    left join actors_per_film on films_to_build.film_id = actors_per_film.film_id
    left join categories_per_film on films_to_build.film_id = categories_per_film.film_id

)

select * from final
