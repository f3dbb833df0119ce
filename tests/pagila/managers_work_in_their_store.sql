{{ config(severity='warn') }}

with stores as (

    select * from {{ ref('stg_pagila__stores') }}
    where deleted_at is null

),

staff as (

    select * from {{ ref('stg_pagila__staff') }}

)

select
    stores.store_id,
    stores.manager_staff_id,
    staff.store_id as staff_store_id
from stores
inner join staff on stores.manager_staff_id = staff.staff_id
where staff.store_id <> stores.store_id
