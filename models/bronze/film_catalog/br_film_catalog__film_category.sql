{{
    config(
        unique_key='category_id',
        indexes=[
            {'columns': ['category_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['film_id']},
        ],
    )
}}

{{ bronze_current_rows('film_catalog', 'film_category') }}
