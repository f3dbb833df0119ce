{{
    config(
        unique_key='customer_id',
        indexes=[{'columns': ['customer_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('storefront', 'customers') }}
