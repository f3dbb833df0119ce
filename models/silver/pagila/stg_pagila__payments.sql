select
    -- ids
    payment_id,
    rental_id,
    customer_id,
    staff_id,

    -- numerics
    cast(amount as numeric(18, 2)) as amount,

    -- timestamps
    {{ utc_timestamp('payment_date') }} as paid_at,
    {{ utc_timestamp('_deleted_at') }} as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_pagila__payment') }}
