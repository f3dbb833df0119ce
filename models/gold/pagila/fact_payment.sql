{%- set inputs = ['_payment_batch_id', '_rental_batch_id', '_inventory_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['payment_id', 'paid_at'],
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(ref('stg_pagila__payments'), ['payment_id', 'paid_at']) }}",
    )
}}

with payments as (

    {{ rows_to_build(ref('int_payments_located'), 'paid_at', inputs) }}

),

final as (

    select
        payment_id,
        rental_id,
        customer_id,
        staff_id,
        film_id,
        store_id,
        paid_at,
        amount,
        _payment_batch_id,
        _rental_batch_id,
        _inventory_batch_id
    from payments

)

select * from final
