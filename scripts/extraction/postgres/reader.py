"""Reads a Postgres source: one connection, one snapshot."""

from __future__ import annotations

import difflib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2 import errors

from common.postgres import identifier, literal
from extraction import key_digests
from extraction.engine import Column, Sink, Stream, Watermark, Window
from extraction.errors import ExtractError
from extraction.key_digests import Interval, KeyDigests
from extraction.postgres import to_sqlserver
from extraction.postgres.copy_pipe import CHUNK_BYTES, ChunkSink, lines_in, rows_in
from extraction.postgres.errors import translated
from extraction.postgres.types import SourceType, digits, landing_type, needs_cast
from extraction.spec import TableSpec

BINARY, DOCUMENTS = "postgres binary", "json lines"
# COPY's options for JSON, a line for each row: it has no raw control character, so none is a quote.
LINES = "format csv, delimiter e'\\x01', quote e'\\x02'"
# COPY's options for each format, and what counts the rows of a chunk.
_STREAMS: Mapping[str, tuple[str, Callable[[bytes], int]]] = {
    BINARY: ("format binary", rows_in),
    DOCUMENTS: (LINES, lines_in),
}

_COLUMNS = """
    with recursive base as (
        select a.attnum, a.attname, a.attnotnull, a.atttypid as type_id, false as is_domain,
               format_type(a.atttypid, a.atttypmod) as display, a.atttypmod as modifier
        from pg_catalog.pg_attribute as a
        where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
        union all
        select b.attnum, b.attname, b.attnotnull, t.typbasetype, true, b.display, t.typtypmod
        from base as b
        inner join pg_catalog.pg_type as t on t.oid = b.type_id and t.typtype = 'd'
    )

    select b.attname, not b.attnotnull, b.display, b.is_domain,
           coalesce(e.typname, t.typname), e.oid is not null, b.modifier,
           coalesce(en.nspname, tn.nspname) = 'pg_catalog' and coalesce(e.typtype, t.typtype) <> 'd'
    from base as b
    inner join pg_catalog.pg_type as t on t.oid = b.type_id and t.typtype <> 'd'
    inner join pg_catalog.pg_namespace as tn on tn.oid = t.typnamespace
    left join pg_catalog.pg_type as e on e.oid = t.typelem and t.typcategory = 'A'
    left join pg_catalog.pg_namespace as en on en.oid = e.typnamespace
    order by b.attnum
"""

# Types of a cursor whose lookback is a duration.
_IN_TIME = {"timestamp", "timestamptz", "date"}
_FLOATS = {"float4", "float8"}
_INTEGERS = {"int2", "int4", "int8"}
# Types that can be a key and that Postgres has no hash for; nor are arrays found by their keys.
_UNHASHED = {"varbit", "tsvector", "tsquery"}
DEFAULT_LOOKBACK = "10 minutes"


class PostgresReader:
    """A `Reader` for Postgres 11 and later; views and foreign tables are tables to it."""

    warnings: Sequence[str] = ()

    def __init__(
        self, connection: psycopg2.extensions.connection, name: str, warehouse: str = "postgres"
    ) -> None:
        """`warehouse` is the kind of system that it reads for: postgres or sqlserver."""
        self._connection = connection
        self._name = name
        self._is_same_engine = warehouse == "postgres"
        self.formats: Sequence[str] = [BINARY if self._is_same_engine else DOCUMENTS]
        self._here: dict[str, Column] = {}  # by the source's name, as it would land in Postgres
        connection.autocommit = False
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)

    def columns(self, spec: TableSpec) -> list[Column]:
        with translated(self._name), self._connection.cursor() as cursor:
            self._hold(cursor, spec)
            cursor.execute(_COLUMNS, [_table(spec)])
            found = [_described(*values) for values in cursor.fetchall()]
        found = [(column, type_) for column, type_ in found if column.source not in spec.exclude]
        named = [(_named(spec, column), type_) for column, type_ in found]
        self._here = {column.source: column for column, _ in named}
        if self._is_same_engine:
            return [column for column, _ in named]
        return [_in_document(column, type_) for column, type_ in named]

    def window(
        self, spec: TableSpec, columns: Sequence[Column], watermark: Watermark, since: str | None
    ) -> Window:
        column = next(column for column in columns if column.source == spec.cursor)
        cursor, type_ = identifier(column.source), self._here[column.source].type
        # A row without a finite cursor, or with one from the future, has no place in the order: it
        # belongs to every lookback and is no watermark, for all other rows would be below it.
        placeless = self._unordered(cursor, type_)
        placeless += [f"{cursor} is null"] if column.nullable else []
        placed = f"not ({' or '.join(placeless)})" if placeless else "true"
        highest = self._scalar(  # max() would be shorter, but uuid has none
            f"select (select {cursor} from {_table(spec)} where {placed} "
            f"order by {cursor} desc limit 1)::text"
        )

        def at(value: str) -> str:
            return f"{literal(value)}::{type_}"

        def lookback(to: str) -> str:
            """The condition for all that a batch starting at `to` would read again."""
            since_when = f"{cursor} >= {_minus_lookback(spec, type_, at(to))}"
            return " or ".join([f"({since_when} and {cursor} <= {at(to)})", *placeless])

        low, warning = watermark.cursor_to, None
        if low is not None and highest is not None:
            is_below = self._scalar(f"select {at(highest)} < {at(low)}")
            if is_below:
                warning = (
                    f"the highest {spec.cursor} at the source, {highest}, is below the last "
                    f"batch's, {low}: if it was restored from a backup, use --full-refresh"
                )
        to = low if warning or highest is None else highest
        overlap = self._digest(spec, columns, lookback(to)) if to is not None else None
        if low is None:
            condition = None
        elif watermark.overlap == (
            overlap if low == to else self._digest(spec, columns, lookback(low))
        ):
            condition = f"({cursor} > {at(low)} and {placed})"
        else:
            condition = " or ".join([f"{cursor} > {at(low)}", lookback(low)])
        if since is not None:  # reads more than the watermark asks for, never less
            wanted = [f"{cursor} >= {at(since)}", *placeless]
            condition = " or ".join([*wanted, condition] if condition else wanted)
        return Window(condition, low if since is None else since, to, overlap, warning)

    def estimate(self, spec: TableSpec, condition: str | None) -> int:
        where = f" where {condition}" if condition else ""
        with translated(self._name), self._connection.cursor() as cursor:
            cursor.execute(f"explain (format json) select 1 from {_table(spec)}{where}")
            row = cursor.fetchone()
        plan = row[0] if row else "[]"
        plan = json.loads(plan) if isinstance(plan, str) else plan
        return int(plan[0]["Plan"]["Plan Rows"])

    def key_condition(self, keys: Sequence[Column], values: Sequence[Sequence[str]]) -> str:
        here = [self._here[key.source] for key in keys]
        names = ", ".join(key.expression for key in here)
        lists = ", ".join(
            f"array[{', '.join(self._key(key.type, value) for value in column)}]"
            f"::text[]::{key.type}[]"
            for key, column in zip(here, zip(*values, strict=True), strict=True)
        )
        return f"({names}) in (select * from unnest({lists}))"

    def key_digests(
        self,
        spec: TableSpec,
        keys: Sequence[Column],
        like: KeyDigests | None = None,
        condition: str | None = None,
        rows: Sequence[Column] = (),
    ) -> KeyDigests | None:
        here = [self._here[key.source] for key in keys]
        hashed = self._hash_of_row(rows) if rows else self._hash_of_keys(here)
        if hashed is None:
            return None
        names = [column.name for column in (*keys, *rows)]
        first = f"({here[0].expression})"
        nulls = " or ".join(f"({key.expression}) is null" for key in here if key.nullable)
        where = f" where {condition}" if condition else ""

        def read(bits: int | None) -> KeyDigests | None:
            found = self._rows(
                f"select {'0' if bits is None else f'coalesce({first} >> {bits}, 0)'} as range, "
                f"count(*), sum({hashed}), {f'bool_or({nulls})' if nulls else 'false'} "
                f"from {_table(spec)}{where} group by 1"
            )
            if any(has_null for *_, has_null in found):
                return None
            return KeyDigests(names, bits, {range_: (n, int(sum_)) for range_, n, sum_, _ in found})

        if here[0].type not in _INTEGERS:
            return read(None)
        if condition is not None:
            return read((like.bits if like else None) or 0)
        return key_digests.digests_of_all(read, like, lambda: self._bounds(spec, first))

    def within(self, keys: Sequence[Column], intervals: Sequence[Interval]) -> str:
        return key_digests.condition(f"({self._here[keys[0].source].expression})", intervals)

    def stream(self, spec: TableSpec, columns: Sequence[Column], condition: str | None) -> Stream:
        def make(constants: Mapping[str, tuple[object, str]]) -> _CopyOut:
            expressions = [column.expression for column in columns]
            expressions += [f"{literal(value)}::{type_}" for value, type_ in constants.values()]
            where = f" where {condition}" if condition else ""
            if self._is_same_engine:
                query = f"select {', '.join(expressions)} from {_table(spec)}{where}"
                return _CopyOut(self._connection, self._name, query, BINARY)
            names = [column.name for column in columns]
            values = ", ".join(
                f"{value} as {identifier(name)}"
                for name, value in zip([*names, *constants], expressions, strict=True)
            )
            query = f"select row_to_json(r) from (select {values} from {_table(spec)}{where}) as r"
            return _CopyOut(self._connection, self._name, query, DOCUMENTS)

        return make

    def close(self) -> None:
        self._connection.close()

    def _key(self, type_: str, value: str) -> str:
        """A key's value that the warehouse wrote as text."""
        is_hex = type_ == "bytea" and not self._is_same_engine
        return literal(f"\\x{value}" if is_hex else value)

    def _digest(self, spec: TableSpec, columns: Sequence[Column], condition: str) -> str:
        """Identifies the content of some rows: their number, and the sum of their hashes."""
        return str(
            self._scalar(
                f"select count(*) || ':' || coalesce(sum({self._hash_of_row(columns)}), 0) "
                f"from {_table(spec)} where {condition}"
            )
        )

    def _hash_of_row(self, columns: Sequence[Column]) -> str:
        """64 bits of a row's values, written as text: a number knows its scale, a null is none."""
        here = [self._here[column.source] for column in columns]
        if not any(column.nullable or column.type not in _INTEGERS for column in here):
            return _hash_of_integers(here)
        values = ", ".join(identifier(column.source) for column in columns)
        return f"hashtextextended(row({values})::text, 0)"

    def _hash_of_keys(self, here: Sequence[Column]) -> str | None:
        """64 bits of a row's key; None if Postgres has no hash for it."""
        if all(key.type in _INTEGERS for key in here):
            return _hash_of_integers(here)
        is_old = self._connection.server_version < 140000  # hashes of rows are newer
        if is_old or any(key.type.endswith("[]") or key.type in _UNHASHED for key in here):
            return None
        # By their bytes: to some collations two different texts are equal, and hashed alike.
        values = ", ".join(
            f"({key.expression})" + (' collate "C"' if key.type == "text" else "") for key in here
        )
        return f"hash_record_extended(row({values}), 0)"

    def _hold(self, cursor: psycopg2.extensions.cursor, spec: TableSpec) -> None:
        """Locks the table against changes of its form, before the snapshot is taken.

        To an older snapshot a table that is truncated or rewritten meanwhile looks empty.
        """
        try:
            cursor.execute(f"lock table {_table(spec)} in access share mode")
        except (errors.WrongObjectType, errors.InsufficientPrivilege):
            # Foreign tables and materialized views take no lock, and grants on single columns
            # allow none: these are read without.
            self._connection.rollback()
        except (errors.UndefinedTable, errors.InvalidSchemaName):
            self._connection.rollback()
            raise self._no_table(cursor, spec) from None

    def _unordered(self, cursor: str, type_: str) -> list[str]:
        """The conditions for values that are not in the order of the others."""
        if type_ in _IN_TIME:
            return [f"{cursor} = '-infinity'", f"{cursor} > now() + interval '1 day'"]
        if type_ in _FLOATS or (type_ == "numeric" and self._connection.server_version >= 140000):
            return [f"{cursor} in ('NaN', 'infinity', '-infinity')"]
        return [f"{cursor} = 'NaN'"] if type_ == "numeric" else []

    def _bounds(self, spec: TableSpec, key: str) -> tuple[int | None, int | None]:
        ((low, high),) = self._rows(f"select min({key}), max({key}) from {_table(spec)}")
        return low, high

    def _scalar(self, query: str) -> Any:  # noqa: ANN401
        rows = self._rows(query)
        return rows[0][0] if rows else None

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with translated(self._name), self._connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def _no_table(self, cursor: psycopg2.extensions.cursor, spec: TableSpec) -> ExtractError:
        cursor.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema')"
        )
        names = [name for (name,) in cursor.fetchall()]
        wanted = ".".join(spec.from_)
        near = difflib.get_close_matches(wanted, names, n=3) or sorted(names)[:10]
        return ExtractError(
            f"{self._name}: there is no table {wanted}, or its role may not see it. "
            f"It sees: {', '.join(near) or 'none'}."
        )


def _hash_of_integers(columns: Sequence[Column]) -> str:
    """64 bits of integers, in half the time that a row of them takes."""
    hashed = "0"
    for column in columns:
        hashed = f"hashint8extended({column.expression}, {hashed})"
    return hashed


class _CopyOut:
    """A `Producer`: one COPY … TO STDOUT."""

    def __init__(
        self,
        connection: psycopg2.extensions.connection,
        name: str,
        query: str,
        format_: str,
    ) -> None:
        options, count = _STREAMS[format_]
        self.format = format_
        self._connection = connection
        self._name = name
        self._statement = f"copy ({query}) to stdout ({options})"
        self._count = count

    def __call__(self, sink: Sink) -> int:
        file = io.BufferedWriter(ChunkSink(sink, self._count), CHUNK_BYTES)
        with translated(self._name), self._connection.cursor() as cursor:
            cursor.copy_expert(self._statement, file)
            file.flush()
            return int(cursor.rowcount)

    def cancel(self) -> None:
        with suppress(psycopg2.Error):  # already closed: the error that closed it is reported
            self._connection.cancel()


def _described(
    source: str,
    nullable: bool,
    display: str,
    is_domain: bool,
    type_name: str,
    is_array: bool,
    modifier: int,
    is_builtin: bool,
) -> tuple[Column, SourceType]:
    is_numeric = is_builtin and type_name == "numeric" and not is_array
    type_ = SourceType(
        type_name, is_builtin, is_array, is_domain, *(digits(modifier) if is_numeric else ())
    )
    landing = landing_type(type_)
    quoted = identifier(source)
    expression = f"{quoted}::{landing}" if needs_cast(type_) else quoted
    return Column(source, source, landing, expression, display, nullable), type_


def _named(spec: TableSpec, column: Column) -> Column:
    return replace(column, name=spec.lands_as(column.source))


def _in_document(column: Column, type_: SourceType) -> Column:
    """The same column, for a warehouse on SQL Server."""
    quoted = identifier(column.source)
    landing, expression = to_sqlserver.landing(type_, column.source, quoted)
    return replace(column, type=landing, expression=expression, typed_by_warehouse=True)


def _minus_lookback(spec: TableSpec, type_: str, value: str) -> str:
    if type_ in _IN_TIME:
        back = f"interval {literal(spec.lookback or DEFAULT_LOOKBACK)}"
    elif spec.lookback is None:
        return value
    else:
        back = literal(spec.lookback) + f"::{type_}"
    return f"({value} - {back})"


def _table(spec: TableSpec) -> str:
    return identifier(*spec.from_)
