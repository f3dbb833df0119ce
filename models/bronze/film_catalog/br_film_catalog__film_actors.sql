{{
    config(
        unique_key=['film_id', 'actor_id'],
        indexes=[
            {'columns': ['film_id', 'actor_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['actor_id']},
        ],
    )
}}

{{ bronze_current_rows('film_catalog', 'film_actors') }}
