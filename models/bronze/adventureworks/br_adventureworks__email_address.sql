{{
    config(
        unique_key=['business_entity_id', 'email_address_id'],
        indexes=[
            {'columns': ['business_entity_id', 'email_address_id'], 'unique': true},
            {'columns': ['_batch_id']},
        ],
    )
}}

{{ bronze_current_rows('adventureworks', 'email_address') }}
