with source as (

    select * from {{ ref('br_film_catalog__film_category') }}

),

final as (

    select
        -- ids
        category_id as film_category_id,
        film_id,

        -- text
        trim(category_name) as category_name

    from source

)

select * from final
