with source as (

    select * from {{ ref('br_film_catalog__actors') }}

),

final as (

    select
        -- ids
        actor_id,

        -- text
        actor_name

    from source

)

select * from final
