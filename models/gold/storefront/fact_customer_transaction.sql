{%- set inputs = ['_transaction_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='transaction_id',
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(ref('stg_storefront__transactions'), ['transaction_id']) }}",
    )
}}

with transactions as (

    {{ rows_to_build(ref('int_transactions_sized'), 'transacted_at', inputs) }}

),

final as (

    select
        transaction_id,
        cast({{ surrogate_key(['customer_id']) }} as varchar(32)) as customer_key,
        cast(transacted_at as date) as date_key,
        transaction_type,
        payment_method,
        channel,
        transaction_status,
        transaction_size,
        amount,
        fee,
        tax,
        total_amount,
        is_completed,
        is_refund,
        transacted_at,
        _transaction_batch_id
    from transactions

)

select * from final
