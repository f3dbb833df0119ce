{{ bronze_current_rows('storefront', 'customers') }}
