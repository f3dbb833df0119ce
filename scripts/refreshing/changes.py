"""Which tables landed rows that are not built yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from common.warehouse import dialect

Connection = Any  # a DB-API connection that commits each statement
Manifest = Any  # dbt's own


def settled_batch(connection: Connection) -> int:
    """The batch up to which every batch has ended, so that nothing below it can land any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce("
            "min(case when status = 'running' then batch_id end) - 1, max(batch_id), 0) "
            "from ops.extract_batches"
        )
        return int(cursor.fetchone()[0])


def changed_tables(
    connection: Connection, after: int, sources: Sequence[str]
) -> list[tuple[str, str]]:
    """Source and name of each table with a later batch that changed landing.

    Of these sources; of all if none is given.
    """
    with connection.cursor() as cursor:
        dialect(connection).execute(
            cursor,
            "select distinct source_name, table_name from ops.extract_batches "
            "where batch_id > %s and status = 'loaded' and (rows_loaded > 0 or rows_deleted > 0 "
            "or rows_restored > 0 or schema_changes <> '[]') order by source_name, table_name",
            [after],
        )
        changed = [(source, table) for source, table in cursor.fetchall()]
    return [one for one in changed if not sources or one[0] in sources]


def views_stay(manifest: Manifest, tables: Iterable[tuple[str, str]]) -> bool:
    """Whether no view reads a table that is made anew because one of these has changed.

    A view is gone with the table that it reads, and else is as it was: to make it again takes as
    long as to test it.
    """
    changed = set(tables)
    waiting = [
        unique_id
        for unique_id, source in manifest.sources.items()
        if (source.source_name, source.name) in changed
    ]
    seen: set[str] = set()
    while waiting:
        parent = waiting.pop()
        is_replaced = parent in manifest.nodes and _materialized(manifest, parent) == "table"
        for child in manifest.child_map.get(parent, []):
            if is_replaced and _materialized(manifest, child) == "view":
                return False
            if child in manifest.nodes and child not in seen:
                seen.add(child)
                waiting.append(child)
    return True


def _materialized(manifest: Manifest, unique_id: str) -> str | None:
    node = manifest.nodes.get(unique_id)
    return node.config.materialized if node and node.resource_type == "model" else None
