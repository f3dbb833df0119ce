{{ bronze_current_rows('pagila', 'city') }}
