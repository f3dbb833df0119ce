{%- set inputs = ['_rental_batch_id', '_inventory_batch_id', '_film_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='rental_id',
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(ref('stg_pagila__rentals'), ['rental_id']) }}",
    )
}}

with rentals as (

    {{ rows_to_build(ref('int_rentals_assessed'), 'rented_at', inputs) }}

),

final as (

    select
        rental_id,
        customer_id,
        staff_id,
        film_id,
        store_id,
        rented_at,
        due_at,
        returned_at,
        is_returned,
        is_late,
        days_late,
        _rental_batch_id,
        _inventory_batch_id,
        _film_batch_id
    from rentals

)

select * from final
