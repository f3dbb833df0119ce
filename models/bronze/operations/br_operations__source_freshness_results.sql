{{
    config(
        unique_key=['invocation_id', 'unique_id'],
        indexes=[
            {'columns': ['invocation_id', 'unique_id'], 'unique': true},
            {'columns': ['recorded_at']},
        ],
    )
}}

{{ bronze_recorded_rows('source_freshness_results') }}
