{{
    config(
        unique_key='product_id',
        indexes=[{'columns': ['product_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('adventureworks', 'product') }}
