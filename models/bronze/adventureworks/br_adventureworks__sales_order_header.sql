{{
    config(
        unique_key='sales_order_id',
        indexes=[{'columns': ['sales_order_id'], 'unique': true}, {'columns': ['_batch_id']}],
    )
}}

{{ bronze_current_rows('adventureworks', 'sales_order_header') }}
