{{ bronze_current_rows('pagila', 'country') }}
