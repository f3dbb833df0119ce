"""`ops.extract_batches` in Postgres: every batch is a row."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime

import psycopg2.extensions
from psycopg2 import errors

from common.postgres import identifier
from extraction.engine import Batch, BatchResult, Watermark, Window
from extraction.spec import TableSpec

_CREATE = """
    create table ops.extract_batches (
        batch_id bigint generated always as identity primary key,
        run_id text not null,
        source_name text not null,
        table_name text not null,
        mode text not null,
        status text not null check (status in ('running', 'loaded', 'failed', 'abandoned')),
        started_at timestamptz not null default clock_timestamp(),
        finished_at timestamptz,
        rows_loaded bigint,
        rows_deleted bigint,
        rows_restored bigint,
        cursor_from text,
        cursor_to text,
        overlap text,
        schema_changes text,
        error text
    );
    create index extract_batches_by_table
    on ops.extract_batches (source_name, table_name, batch_id)
"""

Cursor = psycopg2.extensions.cursor


def ensure_schema(cursor: Cursor, name: str) -> None:
    """Creates the schema if it is missing."""
    cursor.execute("select 1 from pg_catalog.pg_namespace where nspname = %s", [name])
    if cursor.fetchone() is None:
        _create(cursor, f"create schema {identifier(name)}")


def ensure_ledger(cursor: Cursor) -> None:
    """Creates `ops.extract_batches` if it is missing."""
    if not _exists(cursor):
        ensure_schema(cursor, "ops")
        _create(cursor, _CREATE)


def _exists(cursor: Cursor) -> bool:
    cursor.execute("select to_regclass('ops.extract_batches') is not null")
    return cursor.fetchone() == (True,)


def _create(cursor: Cursor, statements: str) -> None:
    # Two first runs at once both find nothing there, and `if not exists` does not help them.
    with suppress(
        errors.DuplicateSchema,
        errors.DuplicateTable,
        errors.DuplicateObject,
        errors.UniqueViolation,
    ):
        cursor.execute(statements)


def begin(cursor: Cursor, spec: TableSpec, run_id: str) -> Batch:
    """Records a batch as running; what an earlier, killed run left running is abandoned.

    The caller holds the table's lock, so nobody else can be loading it.
    """
    cursor.execute(
        "update ops.extract_batches set status = 'abandoned', finished_at = clock_timestamp() "
        "where source_name = %s and table_name = %s and status = 'running'",
        [spec.source, spec.table],
    )
    cursor.execute(
        "insert into ops.extract_batches (run_id, source_name, table_name, mode, status) "
        "values (%s, %s, %s, %s, 'running') returning batch_id, started_at",
        [run_id, spec.source, spec.table, spec.mode],
    )
    batch_id, started_at = cursor.fetchone() or (0, datetime.min)
    return Batch(batch_id, started_at)


def watermark(cursor: Cursor, spec: TableSpec) -> Watermark:
    """Where the last loaded batch of the table stopped."""
    if not _exists(cursor):
        return Watermark()
    cursor.execute(
        "select cursor_to, overlap from ops.extract_batches "
        "where source_name = %s and table_name = %s and status = 'loaded' and mode = 'cursor' "
        "order by batch_id desc limit 1",
        [spec.source, spec.table],
    )
    return Watermark(*(cursor.fetchone() or (None, None)))


def loaded(cursor: Cursor, batch: Batch, result: BatchResult, window: Window) -> None:
    cursor.execute(
        "update ops.extract_batches set status = 'loaded', finished_at = clock_timestamp(), "
        "rows_loaded = %s, rows_deleted = %s, rows_restored = %s, cursor_from = %s, "
        "cursor_to = %s, overlap = %s, schema_changes = %s where batch_id = %s",
        [
            *(result.rows, result.deleted, result.restored, window.cursor_from),
            *(window.cursor_to, window.overlap, json.dumps(result.changes), batch.id),
        ],
    )


def failed(cursor: Cursor, batch: Batch, error: str) -> None:
    cursor.execute(
        "update ops.extract_batches set status = 'failed', finished_at = clock_timestamp(), "
        "error = %s where batch_id = %s and status = 'running'",
        [error, batch.id],
    )
