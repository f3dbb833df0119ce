{{ bronze_current_rows('pagila', 'store') }}
