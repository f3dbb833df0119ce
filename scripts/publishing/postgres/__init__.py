"""The statements of a publish on Postgres."""
