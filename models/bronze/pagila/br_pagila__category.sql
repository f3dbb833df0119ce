{{ bronze_current_rows('pagila', 'category') }}
