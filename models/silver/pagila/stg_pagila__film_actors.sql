with source as (

    select * from {{ ref('br_pagila__film_actor') }}

),

final as (

    select
        -- ids
        film_id,
        actor_id,

        -- timestamps
        {{ utc_timestamp('last_update') }} as updated_at

    from source
    where _deleted_at is null

)

select * from final
