with source as (

    select * from {{ ref('br_pagila__language') }}

),

final as (

    select
        -- ids
        language_id,

        -- text
        trim(name) as language_name,

        -- timestamps
        {{ utc_timestamp('last_update') }} as updated_at

    from source

)

select * from final
