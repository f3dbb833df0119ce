{{ bronze_current_rows('adventureworks', 'special_offer') }}
