{{
    config(
        unique_key='rental_id',
        indexes=[
            {'columns': ['rental_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['inventory_id']},
        ],
    )
}}

{{ bronze_current_rows('pagila', 'rental') }}
