{{ bronze_current_rows('film_catalog', 'film_category') }}
