"""`ops.extract_batches` in Postgres: every batch is a row."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime

import psycopg2.extensions
from psycopg2 import errors

from common import ops
from common.postgres import identifier
from extraction.engine import Batch, BatchResult, Watermark, Window
from extraction.key_digests import KeyDigests
from extraction.spec import TableSpec

Cursor = psycopg2.extensions.cursor


def ensure_schema(cursor: Cursor, name: str) -> None:
    """Creates the schema if it is missing."""
    cursor.execute("select 1 from pg_catalog.pg_namespace where nspname = %s", [name])
    if cursor.fetchone() is None:
        # Two first runs at once both find nothing there, and `if not exists` does not help them.
        with suppress(errors.DuplicateSchema, errors.UniqueViolation):
            cursor.execute(f"create schema {identifier(name)}")


def ensure_ledger(cursor: Cursor) -> None:
    """Creates `ops.extract_batches` if it is missing, and its sisters with it."""
    if not _exists(cursor):
        ops.ensure_tables(cursor)


def _exists(cursor: Cursor) -> bool:
    cursor.execute(
        "select exists (select 1 from pg_catalog.pg_attribute where "
        "attrelid = to_regclass('ops.extract_batches') and attname = 'key_digests')"
    )
    return cursor.fetchone() == (True,)


def begin(cursor: Cursor, spec: TableSpec, run_id: str) -> Batch:
    """Records a batch as running; what an earlier, killed run left running is abandoned.

    The caller holds the table's lock, so nobody else can be loading it. Batches become visible in
    the order of their numbers: who sees one sees all that are below it (refreshing/changes.py).
    """
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('medallion batch numbers', 0))")
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


def abandon_killed(cursor: Cursor) -> None:
    """Marks what killed runs left running, of tables that are declared no more, too.

    Who loads a table holds its lock: it is free if nobody does. Until then nothing after such a
    batch is settled (refreshing/changes.py).
    """
    if _exists(cursor):
        cursor.execute(
            "with running as materialized (select batch_id, "
            "'medallion extract ' || source_name || '.' || table_name as lock_name "
            "from ops.extract_batches where status = 'running') "
            "update ops.extract_batches as batch "
            "set status = 'abandoned', finished_at = clock_timestamp() from running "
            "where batch.batch_id = running.batch_id and batch.status = 'running' "
            "and pg_try_advisory_xact_lock(hashtextextended(running.lock_name, 0))"
        )


def watermark(cursor: Cursor, spec: TableSpec) -> Watermark:
    """Where the last loaded batch of the table stopped."""
    if not _exists(cursor):
        return Watermark()
    cursor.execute(
        "select cursor_to, overlap, key_digests from ops.extract_batches "
        "where source_name = %s and table_name = %s and status = 'loaded' and mode = %s "
        "order by batch_id desc limit 1",
        [spec.source, spec.table, spec.mode],
    )
    cursor_to, overlap, keys = cursor.fetchone() or (None, None, None)
    return Watermark(cursor_to, overlap, KeyDigests.loads(keys) if keys else None)


def loaded(cursor: Cursor, batch: Batch, result: BatchResult, window: Window) -> None:
    cursor.execute(  # those of the last batch are enough, and they are long
        "update ops.extract_batches set key_digests = null "
        "where source_name = %s and table_name = %s and key_digests is not null",
        [result.spec.source, result.spec.table],
    )
    cursor.execute(
        "update ops.extract_batches set status = 'loaded', finished_at = clock_timestamp(), "
        "rows_loaded = %s, rows_deleted = %s, rows_restored = %s, cursor_from = %s, "
        "cursor_to = %s, overlap = %s, schema_changes = %s, key_digests = %s where batch_id = %s",
        [
            *(result.rows, result.deleted, result.restored, window.cursor_from),
            *(window.cursor_to, window.overlap, json.dumps(result.changes)),
            *(window.keys.dumps() if window.keys else None, batch.id),
        ],
    )


def failed(cursor: Cursor, batch: Batch, error: str) -> None:
    cursor.execute(
        "update ops.extract_batches set status = 'failed', finished_at = clock_timestamp(), "
        "error = %s where batch_id = %s and status = 'running'",
        [error, batch.id],
    )
