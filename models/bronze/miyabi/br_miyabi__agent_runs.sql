{{
    config(
        unique_key='run_id',
        indexes=[{'columns': ['run_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('miyabi', 'agent_runs') }}
