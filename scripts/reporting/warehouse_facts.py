"""What the report asks the warehouse: the last extract run, and how many rows each table holds.

All SQL of the report is here. Both questions read catalogues, `ops` and small tables only, and give
up after a second, so a report costs a warehouse nothing that anyone would notice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import psycopg2
from psycopg2 import sql

from common.dbt_project import DbtProjectError, warehouse_credentials
from common.warehouse import errors, open_warehouse

# A table up to this size is counted; a larger one is estimated from the planner's statistics.
COUNTED_BYTES = 4 * 1024 * 1024
# The tables counted in one report hold no more than this together.
COUNTED_BYTES_IN_ALL = 64 * 1024 * 1024
PATIENCE_MS = 1000

Relation = tuple[str, str]  # schema, name


@dataclass(frozen=True)
class Batch:
    """One table's part of an extract run, as `ops.extract_batches` has it."""

    source: str
    table: str
    mode: str
    status: str
    started: datetime | None
    finished: datetime | None
    rows: int | None
    deleted: int | None
    restored: int | None
    schema_changes: tuple[str, ...]
    error: str

    @property
    def seconds(self) -> float | None:
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()


@dataclass(frozen=True)
class RowCount:
    rows: int
    exact: bool


@dataclass(frozen=True)
class WarehouseFacts:
    """Empty when the warehouse could not be asked; `problem` says why.

    `rows` are None if they could not be counted, which is no problem.
    """

    database: str = ""
    engine: str = ""
    problem: str = ""
    batches: tuple[Batch, ...] = ()
    rows: Mapping[Relation, RowCount] | None = None


def read_warehouse(target: str | None, relations: Iterable[Relation]) -> WarehouseFacts:
    """Asks the warehouse of a dbt target. Never raises for a warehouse that does not answer."""
    try:
        credentials = warehouse_credentials(target)
        engine, database = str(credentials.type), str(credentials.database)
    except DbtProjectError as error:
        return WarehouseFacts(problem=str(error))
    try:
        with closing(open_warehouse(target)) as connection:
            if engine == "postgres":  # a lock, such as a publish takes, is waited for as long
                with closing(connection.cursor()) as cursor:
                    cursor.execute("set statement_timeout = %s", (PATIENCE_MS,))
            batches = last_batches(connection, engine)
            rows = None
            with suppress(*errors()):  # a table may be locked, or go while it is counted
                rows = row_counts(connection, engine, sorted(set(relations)))
    except errors() as error:
        return WarehouseFacts(database, engine, problem=str(error).strip())
    return WarehouseFacts(database, engine, "", batches, rows)


def last_batches(connection: Any, engine: str) -> tuple[Batch, ...]:  # noqa: ANN401
    """The batches of the extract run that started last; none if nothing was ever extracted."""
    with closing(connection.cursor()) as cursor:
        # In capitals, because SQL Server with a binary collation knows them by no other name.
        cursor.execute(
            "select 1 from INFORMATION_SCHEMA.TABLES"
            " where TABLE_SCHEMA = 'ops' and TABLE_NAME = 'extract_batches'"
        )
        if cursor.fetchone() is None:
            return ()
        first_row = ("top 1", "") if engine == "sqlserver" else ("", "fetch first 1 row only")
        cursor.execute(
            "select source_name, table_name, mode, status, started_at, finished_at,"
            " rows_loaded, rows_deleted, rows_restored, schema_changes, error"
            " from ops.extract_batches where run_id = ("
            f" select {first_row[0]} run_id from ops.extract_batches"
            f" order by batch_id desc {first_row[1]})"
            " order by source_name, table_name, batch_id"
        )
        # A table retried within a run has several batches: the last one is what became of it.
        latest = {(row[0], row[1]): _batch(row) for row in cursor.fetchall()}
    return tuple(latest.values())


def _batch(row: Sequence[Any]) -> Batch:
    source, table, mode, status, started, finished, rows, deleted, restored, changes, error = row
    return Batch(
        source=source,
        table=table,
        mode=mode,
        status=status,
        started=_in_utc(started),
        finished=_in_utc(finished),
        rows=rows,
        deleted=deleted,
        restored=restored,
        schema_changes=_changes(changes),
        error=error or "",
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    """SQL Server keeps UTC without saying so."""
    return moment.replace(tzinfo=timezone.utc) if moment and moment.tzinfo is None else moment


def _changes(document: str | None) -> tuple[str, ...]:
    """Each schema change in a few words; the writer's own words where they are text already."""
    try:
        changes = json.loads(document or "[]")
    except ValueError:
        return (str(document),)
    if not isinstance(changes, list):
        changes = [changes]
    return tuple(
        ", ".join(f"{key}: {value}" for key, value in change.items() if value is not None)
        if isinstance(change, dict)
        else str(change)
        for change in changes
    )


def row_counts(
    connection: Any,  # noqa: ANN401
    engine: str,
    relations: Sequence[Relation],
) -> Mapping[Relation, RowCount] | None:
    """Rows of each of these tables that exists; views are left out. None: not for this engine."""
    if engine != "postgres":
        return None
    with closing(connection.cursor()) as cursor:
        cursor.execute(
            """
            select n.nspname, c.relname, pg_relation_size(c.oid),
                   case when c.reltuples >= 0 and c.relpages > 0
                       then c.reltuples / c.relpages
                            * pg_relation_size(c.oid) / current_setting('block_size')::int
                   end
            from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
            where c.relkind in ('r', 'm')
                and (n.nspname, c.relname) in (select * from unnest(%s::text[], %s::text[]))
            order by pg_relation_size(c.oid)
            """,
            ([schema for schema, _ in relations], [name for _, name in relations]),
        )
        tables = cursor.fetchall()
        small, budget = [], COUNTED_BYTES_IN_ALL
        for schema, name, size, _ in tables:
            budget -= size
            if size <= COUNTED_BYTES and budget >= 0:
                small.append((schema, name))
        exact = _counted(cursor, small)
        estimated = {
            (schema, name): RowCount(
                round(_planned(cursor, (schema, name)) if estimate is None else estimate), False
            )
            for schema, name, _, estimate in tables
            if (schema, name) not in exact
        }
    return {**estimated, **exact}


def _counted(cursor: Any, relations: Sequence[Relation]) -> dict[Relation, RowCount]:  # noqa: ANN401
    """Exact counts, or none at all if they take too long: then all are estimated."""
    if not relations:
        return {}
    query = sql.SQL(" union all ").join(
        sql.SQL("select {}, count(*) from {}").format(sql.Literal(i), sql.Identifier(*relation))
        for i, relation in enumerate(relations)
    )
    try:
        cursor.execute(query)
        return {relations[i]: RowCount(count, True) for i, count in cursor.fetchall()}
    except psycopg2.Error:
        return {}


def _planned(cursor: Any, relation: Relation) -> float:  # noqa: ANN401
    """The planner's guess for a table that was never analysed, such as one just built."""
    query = sql.SQL("explain (format json) select 1 from {}").format(sql.Identifier(*relation))
    cursor.execute(query)
    return float(cursor.fetchone()[0][0]["Plan"]["Plan Rows"])
