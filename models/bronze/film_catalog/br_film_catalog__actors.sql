{{
    config(
        unique_key='actor_id',
        indexes=[{'columns': ['actor_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('film_catalog', 'actors') }}
