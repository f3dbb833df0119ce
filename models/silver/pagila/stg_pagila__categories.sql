with source as (

    select * from {{ ref('br_pagila__category') }}

),

final as (

    select
        -- ids
        category_id,

        -- text
        name as category_name,

        -- timestamps
        {{ utc_timestamp('last_update') }} as updated_at

    from source

)

select * from final
