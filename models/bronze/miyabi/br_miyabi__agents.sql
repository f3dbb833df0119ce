{{
    config(
        unique_key='agent_id',
        indexes=[{'columns': ['agent_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('miyabi', 'agents') }}
