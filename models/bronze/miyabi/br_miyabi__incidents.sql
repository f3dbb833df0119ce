{{
    config(
        unique_key='incident_id',
        indexes=[
            {'columns': ['incident_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['deployment_id']},
        ],
    )
}}

{{ bronze_current_rows('miyabi', 'incidents') }}
