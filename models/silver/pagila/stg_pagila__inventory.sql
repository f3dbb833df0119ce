with source as (

    select * from {{ ref('br_pagila__inventory') }}

),

final as (

    select
        -- ids
        inventory_id,
        film_id,
        store_id,

        -- timestamps
        {{ utc_timestamp('last_update') }} as updated_at,

        -- batch
        _batch_id

    from source

)

select * from final
