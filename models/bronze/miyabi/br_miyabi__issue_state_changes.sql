{{
    config(
        unique_key='change_id',
        indexes=[
            {'columns': ['change_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['issue_id']},
        ],
    )
}}

{{ bronze_current_rows('miyabi', 'issue_state_changes') }}
