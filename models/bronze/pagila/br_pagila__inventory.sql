{{
    config(
        unique_key='inventory_id',
        indexes=[
            {'columns': ['inventory_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['film_id']},
        ],
    )
}}

{{ bronze_current_rows('pagila', 'inventory') }}
