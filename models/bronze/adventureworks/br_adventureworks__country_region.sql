{{ bronze_current_rows('adventureworks', 'country_region') }}
