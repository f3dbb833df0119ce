{{
    config(
        unique_key='publish_id',
        indexes=[
            {'columns': ['publish_id'], 'unique': true},
            {'columns': ['recorded_at']},
        ],
    )
}}

{{ bronze_recorded_rows('publishes') }}
