{{
    config(
        unique_key='generation_id',
        indexes=[
            {'columns': ['generation_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['run_id']},
        ],
    )
}}

{{ bronze_current_rows('miyabi', 'code_generations') }}
