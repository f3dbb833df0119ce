"""`ops.refreshes`: what each refresh took in, so that the next one starts from there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from common.warehouse import dialect

# What the build depends on besides the data.
_PROJECT = ("dbt_project.yml", "models", "macros", "seeds", "snapshots", "tests")
_KINDS = {".sql", ".yml", ".csv", ".md"}

Connection = Any  # a DB-API connection that commits each statement


@dataclass(frozen=True)
class Refresh:
    """A refresh that is under way."""

    id: int
    is_whole: bool


def last_built(connection: Connection, selection: str, project: str) -> int | None:
    """The batch up to which the facts of this project have all rows; None if it isn't known.

    Another project may have built others, or these otherwise.
    """
    with connection.cursor() as cursor:
        dialect(connection).execute(
            cursor,
            "select max(settled_batch_id) from ops.refreshes "
            "where status = 'succeeded' and selection = %s and project = %s",
            [selection, project],
        )
        (settled,) = cursor.fetchone()
    return None if settled is None else int(settled)


def last_tested(connection: Connection, selection: str, project: str) -> int | None:
    """The batch up to which all is built and tested; None if everything must be built.

    That is so on the first refresh of a day (UTC), because models and tests know what day it is,
    and after a change of the project. Only a refresh that succeeded counts.
    """
    with connection.cursor() as cursor:
        spelled = dialect(connection)
        spelled.execute(
            cursor,
            "with succeeded as (select * from ops.refreshes "
            "where status = 'succeeded' and selection = %s), "
            "whole as (select * from succeeded "
            "where refresh_id = (select max(refresh_id) from succeeded where is_whole = %s)) "
            "select max(succeeded.settled_batch_id) from succeeded "
            "inner join whole on succeeded.refresh_id >= whole.refresh_id "
            f"where whole.project = %s and whole.started_at >= {spelled.today}",
            [selection, True, project],
        )
        (settled,) = cursor.fetchone()
    return None if settled is None else int(settled)


def waiting_after(connection: Connection, selection: str, hours: int) -> int:
    """The batch after which rows may have waited for others when all rows were tested last.

    They were younger than so many hours then. There must have been such a refresh.
    """
    with connection.cursor() as cursor:
        spelled = dialect(connection)
        spelled.execute(
            cursor,
            "select max(started_at) from ops.refreshes "
            "where status = 'succeeded' and selection = %s and is_whole = %s",
            [selection, True],
        )
        (tested_at,) = cursor.fetchone()
        spelled.execute(
            cursor,
            "select coalesce(min(case when status = 'running' or finished_at >= %s "
            "then batch_id end) - 1, max(batch_id), 0) from ops.extract_batches",
            [tested_at - timedelta(hours=hours)],
        )
        return int(cursor.fetchone()[0])


def begin(
    connection: Connection, selection: str, project: str, settled: int, *, is_whole: bool
) -> Refresh:
    """Records a refresh as running."""
    with connection.cursor() as cursor:
        spelled = dialect(connection)
        key = "refresh_id"
        spelled.execute(
            cursor,
            "insert into ops.refreshes (selection, is_whole, project, settled_batch_id, status) "
            f"{spelled.output.format(key)} "
            f"values (%s, %s, %s, %s, 'running') {spelled.returning.format(key)}",
            [selection, is_whole, project, settled],
        )
        return Refresh(int(cursor.fetchone()[0]), is_whole)


def finish(connection: Connection, refresh: Refresh, *, succeeded: bool) -> None:
    """Records how it ended. One that never says so, because it was killed, counts as failed."""
    with connection.cursor() as cursor:
        spelled = dialect(connection)
        spelled.execute(
            cursor,
            f"update ops.refreshes set status = %s, finished_at = {spelled.now} "
            "where refresh_id = %s",
            ["succeeded" if succeeded else "failed", refresh.id],
        )


def fingerprint(root: Path) -> str:
    """Changes with every file of the dbt project."""
    digest = hashlib.sha256()
    for file in _files(root):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files(root: Path) -> Iterable[Path]:
    for name in _PROJECT:
        path = root / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (
            file
            for file in found
            if file.suffix in _KINDS and "python" not in file.relative_to(root).parts
        )
