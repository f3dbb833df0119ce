{{
    config(
        unique_key='batch_id',
        indexes=[{'columns': ['batch_id'], 'unique': true}],
    )
}}

{{ bronze_recorded_rows('extract_batches', changed_at='coalesce(finished_at, started_at)') }}
