{{ config(severity='warn') }}

select
    stores.store_id,
    stores.manager_staff_id,
    staff.store_id as staff_store_id
from {{ ref('stg_pagila__stores') }} as stores
inner join {{ ref('stg_pagila__staff') }} as staff on stores.manager_staff_id = staff.staff_id
where staff.store_id <> stores.store_id
