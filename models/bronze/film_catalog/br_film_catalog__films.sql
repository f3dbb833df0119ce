{{
    config(
        unique_key='film_id',
        indexes=[{'columns': ['film_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('film_catalog', 'films') }}
