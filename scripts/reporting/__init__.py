"""The run report: what dbt's artifacts and the warehouse say about one run, on one page."""
