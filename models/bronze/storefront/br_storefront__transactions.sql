{{
    config(
        unique_key='transaction_id',
        indexes=[
            {'columns': ['transaction_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['customer_id']},
        ],
    )
}}

{{ bronze_current_rows('storefront', 'transactions') }}
