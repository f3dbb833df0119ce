{{
    config(
        unique_key='business_entity_id',
        indexes=[{'columns': ['business_entity_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('adventureworks', 'person') }}
