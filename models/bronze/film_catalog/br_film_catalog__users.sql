{{
    config(
        unique_key='id',
        indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('film_catalog', 'users') }}
