with source as (

    select * from {{ ref('br_pagila__country') }}

),

final as (

    select
        -- ids
        country_id,

        -- text
        country as country_name,

        -- timestamps
        {{ utc_timestamp('last_update') }} as updated_at

    from source

)

select * from final
