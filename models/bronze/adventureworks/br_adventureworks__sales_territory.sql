{{ bronze_current_rows('adventureworks', 'sales_territory') }}
