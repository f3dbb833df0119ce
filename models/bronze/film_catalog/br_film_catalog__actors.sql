{{ bronze_current_rows('film_catalog', 'actors') }}
