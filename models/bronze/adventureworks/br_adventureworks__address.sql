{{
    config(
        unique_key='address_id',
        indexes=[{'columns': ['address_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('adventureworks', 'address') }}
