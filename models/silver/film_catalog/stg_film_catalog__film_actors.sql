with source as (

    select * from {{ ref('br_film_catalog__film_actors') }}

),

final as (

    select
        -- ids
        film_id,
        actor_id

    from source

)

select * from final
