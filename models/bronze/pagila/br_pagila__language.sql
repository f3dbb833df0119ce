{{ bronze_current_rows('pagila', 'language') }}
