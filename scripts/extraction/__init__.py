"""Moves rows from source systems into landing: whole batches, effectively once by key.

spec.py       what the dbt YAML says of each table
drift.py      what to do when the source's columns are not the landing's
engine.py     the seam: what a reader and a writer must offer
batch.py      the middle: one table, one batch; knows no engine
run.py        many tables at once, retries, the summary
postgres/     the reader and the writer of Postgres
sqlserver/    the same of SQL Server
http/         the reader of item APIs
"""
