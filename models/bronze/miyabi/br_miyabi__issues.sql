{{
    config(
        unique_key='issue_id',
        indexes=[{'columns': ['issue_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('miyabi', 'issues') }}
