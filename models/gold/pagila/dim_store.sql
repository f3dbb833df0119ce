with stores as (

    select * from {{ ref('stg_pagila__stores') }}

),

addresses as (

    select * from {{ ref('int_addresses_located') }}

),

staff as (

    select * from {{ ref('stg_pagila__staff') }}

),

final as (

    select
        stores.store_id,
        stores.manager_staff_id,
        -- T-SQL's concat() takes null for an empty text
        case
            when staff.staff_id is not null
                then {{ dbt.concat(['staff.first_name', "' '", 'staff.last_name']) }}
        end as manager_name,
        addresses.address_line_1,
        addresses.district,
        addresses.postal_code,
        addresses.city_name,
        addresses.country_name,
        {{ to_boolean('stores.deleted_at is not null') }} as is_deleted
    from stores
    left join staff on stores.manager_staff_id = staff.staff_id
    left join addresses on stores.address_id = addresses.address_id

)

select * from final
