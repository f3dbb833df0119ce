with source as (

    select * from {{ ref('br_film_catalog__users') }}

),

final as (

    select
        -- ids
        id as user_id,

        -- text
        first_name,
        last_name,
        nullif(lower(trim(email)), '') as email,

        -- dates
        date_of_birth

    from source

)

select * from final
