{{
    config(
        unique_key=['business_entity_id', 'address_id', 'address_type_id'],
        indexes=[
            {'columns': ['business_entity_id', 'address_id', 'address_type_id'], 'unique': true},
            {'columns': ['_batch_id']},
        ],
    )
}}

{{ bronze_current_rows('adventureworks', 'business_entity_address') }}
