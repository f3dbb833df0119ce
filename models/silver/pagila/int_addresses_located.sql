with addresses as (

    select * from {{ ref('stg_pagila__addresses') }}

),

cities as (

    select * from {{ ref('stg_pagila__cities') }}

),

countries as (

    select * from {{ ref('stg_pagila__countries') }}

),

final as (

    select
        addresses.address_id,
        addresses.address_line_1,
        addresses.address_line_2,
        addresses.district,
        addresses.postal_code,
        addresses.phone,
        cities.city_name,
        countries.country_name,
        addresses.deleted_at
    from addresses
    left join cities on addresses.city_id = cities.city_id
    left join countries on cities.country_id = countries.country_id

)

select * from final
