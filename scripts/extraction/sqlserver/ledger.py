"""`ops.extract_batches` in SQL Server: every batch is a row."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyodbc

from common import ops
from common.sqlserver import explain, identifier, literal
from extraction.engine import Batch, BatchResult, Watermark, Window
from extraction.errors import TransientError
from extraction.key_digests import KeyDigests
from extraction.spec import TableSpec
from extraction.sqlserver.loading import NVARCHAR_MAX

# As the columns are: for a text without a length each row's would be converted, past the index.
_OF_TABLE = "source_name = convert(varchar(128), ?) and table_name = convert(varchar(128), ?)"


def ensure_schema(cursor: pyodbc.Cursor, name: str) -> None:
    """Creates the schema if it is missing."""
    statement = f"if schema_id(?) is null exec({literal(f'create schema {identifier(name)}')})"
    try:
        cursor.execute(statement, name)
    except pyodbc.Error as error:
        # Two first runs at once both find nothing there.
        if explain(error).number not in ops.ALREADY_THERE:
            raise


def ensure_ledger(cursor: pyodbc.Cursor) -> None:
    """Creates `ops.extract_batches` if it is missing, and its sisters with it."""
    if not _exists(cursor):
        ops.ensure_tables(cursor)


def _exists(cursor: pyodbc.Cursor) -> bool:
    found = cursor.execute("select col_length('ops.extract_batches', 'key_digests')").fetchall()
    return found[0][0] is not None


def begin(cursor: pyodbc.Cursor, spec: TableSpec, run_id: str) -> Batch:
    """Records a batch as running; what an earlier, killed run left running is abandoned.

    The caller holds the table's lock, so nobody else can be loading it, and has a transaction open.
    Batches become visible in the order of their numbers: who sees one sees all that are below it
    (refreshing/changes.py).
    """
    ((got,),) = cursor.execute(
        "set nocount on; declare @got int; exec @got = sp_getapplock "
        "@Resource = 'medallion batch numbers', @LockMode = 'Exclusive', "
        "@LockOwner = 'Transaction', @LockTimeout = -1; select @got"
    ).fetchall()
    if got < 0:  # given way in a deadlock, or ended by somebody
        raise TransientError(f"warehouse: sp_getapplock for the batch numbers returned {got}")
    _execute(
        cursor,
        "update ops.extract_batches set status = 'abandoned', finished_at = sysutcdatetime() "
        f"where {_OF_TABLE} and status = 'running'",
        [spec.source, spec.table],
    )
    _execute(
        cursor,
        "insert into ops.extract_batches (run_id, source_name, table_name, mode, status) "
        "output inserted.batch_id, inserted.started_at values (?, ?, ?, ?, 'running')",
        [run_id, spec.source, spec.table, spec.mode],
    )
    (row,) = cursor.fetchall()
    return Batch(*row)


def running(cursor: pyodbc.Cursor) -> list[tuple[int, str]]:
    """The batches that are recorded as running, each with the name of its table."""
    if not _exists(cursor):
        return []
    cursor.execute(
        "select batch_id, source_name, table_name from ops.extract_batches where status = 'running'"
    )
    return [(batch_id, f"{source}.{table}") for batch_id, source, table in cursor.fetchall()]


def abandoned(cursor: pyodbc.Cursor, batch_id: int) -> None:
    cursor.execute(
        "update ops.extract_batches set status = 'abandoned', finished_at = sysutcdatetime() "
        "where batch_id = ? and status = 'running'",
        batch_id,
    )


def watermark(cursor: pyodbc.Cursor, spec: TableSpec) -> Watermark:
    """Where the last loaded batch of the table stopped."""
    if not _exists(cursor):
        return Watermark()
    _execute(
        cursor,
        "select top 1 cursor_to, overlap, key_digests from ops.extract_batches "
        f"where {_OF_TABLE} and status = 'loaded' and mode = ? "
        "order by batch_id desc",
        [spec.source, spec.table, spec.mode],
    )
    cursor_to, overlap, keys = [*cursor.fetchall(), (None, None, None)][0]
    return Watermark(cursor_to, overlap, KeyDigests.loads(keys) if keys else None)


def loaded(cursor: pyodbc.Cursor, batch: Batch, result: BatchResult, window: Window) -> None:
    _execute(  # those of the last batch are enough, and they are long
        cursor,
        "update ops.extract_batches set key_digests = null "
        f"where {_OF_TABLE} and key_digests is not null",
        [result.spec.source, result.spec.table],
    )
    _execute(
        cursor,
        "update ops.extract_batches set status = 'loaded', finished_at = sysutcdatetime(), "
        "rows_loaded = ?, rows_deleted = ?, rows_restored = ?, cursor_from = ?, "
        "cursor_to = ?, overlap = ?, schema_changes = ?, key_digests = ? where batch_id = ?",
        [
            *(result.rows, result.deleted, result.restored, window.cursor_from),
            *(window.cursor_to, window.overlap, json.dumps(result.changes)),
            *(window.keys.dumps() if window.keys else None, batch.id),
        ],
    )


def failed(cursor: pyodbc.Cursor, batch: Batch, error: str) -> None:
    _execute(
        cursor,
        "update ops.extract_batches set status = 'failed', finished_at = sysutcdatetime(), "
        "error = ? where batch_id = ? and status = 'running'",
        [error, batch.id],
    )


def _execute(cursor: pyodbc.Cursor, statement: str, values: Sequence[object]) -> None:
    """Executes a statement whose texts have no length, so that one plan does for all of them."""
    cursor.setinputsizes([NVARCHAR_MAX if isinstance(value, str) else None for value in values])
    cursor.execute(statement, list(values))
    cursor.setinputsizes(None)
