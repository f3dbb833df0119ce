{{
    config(
        unique_key='deployment_id',
        indexes=[{'columns': ['deployment_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('miyabi', 'deployments') }}
