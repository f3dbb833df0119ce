{{
    config(
        unique_key='invocation_id',
        indexes=[
            {'columns': ['invocation_id'], 'unique': true},
            {'columns': ['recorded_at']},
        ],
    )
}}

{{ bronze_recorded_rows('dbt_invocations') }}
