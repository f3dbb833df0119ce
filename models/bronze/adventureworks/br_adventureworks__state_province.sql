{{ bronze_current_rows('adventureworks', 'state_province') }}
