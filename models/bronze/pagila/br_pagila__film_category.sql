{{
    config(
        unique_key=['film_id', 'category_id'],
        indexes=[
            {'columns': ['film_id', 'category_id'], 'unique': true},
            {'columns': ['_batch_id']},
        ],
    )
}}

{{ bronze_current_rows('pagila', 'film_category') }}
