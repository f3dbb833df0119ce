{{
    config(
        unique_key=['payment_id', 'payment_date'],
        indexes=[
            {'columns': ['payment_id', 'payment_date'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['rental_id']},
        ],
    )
}}

{{ bronze_current_rows('pagila', 'payment') }}
