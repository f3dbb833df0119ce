with films as (

    select * from {{ ref('stg_film_catalog__films') }}

),

final as (

    select
        film_id,
        price,
        deleted_at,
        loaded_at
    from films

)

select * from final
