{{
    config(
        unique_key='staff_id',
        indexes=[{'columns': ['staff_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('pagila', 'staff') }}
