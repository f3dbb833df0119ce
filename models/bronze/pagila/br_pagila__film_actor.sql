{{
    config(
        unique_key=['actor_id', 'film_id'],
        indexes=[{'columns': ['actor_id', 'film_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('pagila', 'film_actor') }}
