"""Postgres as a source and as a warehouse."""
