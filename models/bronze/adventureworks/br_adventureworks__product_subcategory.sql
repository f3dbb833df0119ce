{{ bronze_current_rows('adventureworks', 'product_subcategory') }}
