{{ bronze_current_rows('adventureworks', 'address_type') }}
