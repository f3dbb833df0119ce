{{ bronze_current_rows('adventureworks', 'product_category') }}
