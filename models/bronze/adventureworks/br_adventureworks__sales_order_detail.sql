{{
    config(
        unique_key=['sales_order_id', 'sales_order_detail_id'],
        indexes=[
            {'columns': ['sales_order_id', 'sales_order_detail_id'], 'unique': true},
            {'columns': ['_batch_id']},
            {'columns': ['product_id']},
        ],
    )
}}

{{ bronze_current_rows('adventureworks', 'sales_order_detail') }}
