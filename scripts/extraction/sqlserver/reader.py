"""Reads a SQL Server source: one connection, one snapshot where the database allows it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pyodbc

from common.sqlserver import identifier, literal
from extraction import key_digests
from extraction.engine import Column, Sink, Stream, Watermark, Window
from extraction.errors import ExtractError, TransientError
from extraction.key_digests import Interval, KeyDigests
from extraction.spec import TableSpec
from extraction.sqlserver.changes import IS_WRITTEN_TO, TrackedChanges, version_of
from extraction.sqlserver.lines import ZeroError, copy_text, json_lines
from extraction.sqlserver.session import Session
from extraction.sqlserver.types import (
    IN_TIME,
    INTEGERS,
    ROWVERSION,
    Form,
    SourceType,
    as_text,
    expression,
    form,
    landing_type,
    of_text,
)

COPY_TEXT, DOCUMENTS = "copy text", "json lines"
DEFAULT_LOOKBACK = "10 minutes"
CHUNK_BYTES = 256 * 1024
MOST_ROWS = 10_000  # of a chunk
FIRST_ROWS = 100  # of the first, of which the size of a row is learned

READ_COMMITTED = (
    "read committed: the database allows no snapshots, so rows that changed during the read may be "
    "of different moments (alter database … set allow_snapshot_isolation on)"
)
REFUSED = (
    "read committed: no snapshot can have this table, so rows that changed during the read may be "
    "of different moments"
)

_FACTS = """
    select snapshot_isolation_state from sys.databases where database_id = db_id()
"""
# An alias type, such as sysname, is read as the type below. That of a vector is varbinary, too, but
# the server sends a text.
_COLUMNS = """
    select c.name, c.is_nullable, coalesce(b.name, t.name), c.max_length, c.precision, c.scale,
           t.is_assembly_type, c.collation_name, c.encryption_type
    from sys.columns as c
    inner join sys.types as t on t.user_type_id = c.user_type_id
    left join sys.types as b
        on b.user_type_id = t.system_type_id and t.is_assembly_type = 0
        and (t.is_user_defined = 1 or t.name = 'sysname')
    where c.object_id = object_id(?)
    order by c.column_id
"""
_ROWS = """
    select sum(p.rows) from sys.partitions as p
    where p.object_id = object_id(?) and p.index_id in (0, 1)
"""
# A transaction that somebody forgot at the source holds a load up for so long, and not for ever.
_LOCK_TIMEOUT_MS = 60_000
_FIRST = {"datetime": datetime(1753, 1, 1), "smalldatetime": datetime(1900, 1, 1)}  # of these types
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}


class SqlServerReader:
    """A `Reader` for SQL Server 2016 and later, and Azure SQL; views are tables to it."""

    def __init__(
        self, connection: pyodbc.Connection, name: str, warehouse: str = "postgres"
    ) -> None:
        """`warehouse` is the kind of system that it reads for: postgres or sqlserver."""
        self._session = Session(connection, name)
        self._name = name
        self._warehouse = warehouse
        self._types: dict[str, SourceType] = {}
        # What is read of a table's changes, and since which version.
        self._read_since: tuple[TrackedChanges, int] | None = None
        self.formats: Sequence[str] = [COPY_TEXT if warehouse == "postgres" else DOCUMENTS]
        # Before the snapshot: what was under way then and is not in it has higher numbers.
        self._active = self._first_active_rowversion()
        is_snapshot = self._session.scalar(_FACTS) == 1
        if is_snapshot:
            self._session.read_one_moment()
        else:
            self._session.read_what_is_committed()
        # In a deadlock, too, it is the reader that starts anew, not who works at the source.
        self._session.execute(f"set lock_timeout {_LOCK_TIMEOUT_MS}; set deadlock_priority low")
        self._warnings = [] if is_snapshot else [READ_COMMITTED]

    @property
    def warnings(self) -> Sequence[str]:
        refusal = self._session.refusal
        return [*self._warnings, *([f"{REFUSED} ({refusal})"] if refusal else [])]

    def columns(self, spec: TableSpec) -> list[Column]:
        rows = self._session.query(_COLUMNS, _table(spec))
        if not rows:
            raise self._no_table(spec)
        found = []
        for source, nullable, *described, encryption in rows:
            if source in spec.exclude:
                continue
            if encryption is not None:
                raise ExtractError(
                    f"{self._name}: {source} is encrypted for whoever has its key (Always "
                    "Encrypted), and extraction has none. Leave the column out with `exclude`."
                )
            type_ = SourceType(*described)
            self._types[source] = type_
            found.append(
                Column(
                    source=source,
                    name=spec.lands_as(source),
                    type=landing_type(type_, self._warehouse),
                    expression=expression(type_, source),
                    source_type=type_.display,
                    nullable=bool(nullable),
                    typed_by_warehouse=True,
                )
            )
        return found

    def window(
        self, spec: TableSpec, columns: Sequence[Column], watermark: Watermark, since: str | None
    ) -> Window:
        column = next(column for column in columns if column.source == spec.cursor)
        type_, cursor = self._types[column.source], f"t.{identifier(column.source)}"
        placeless = _unordered(cursor, type_)
        placeless += [f"{cursor} is null"] if column.nullable else []
        limit = self._limit(cursor, type_)
        placed = " and ".join([f"not ({' or '.join(placeless)})" if placeless else "1 = 1", *limit])

        def at(value: str) -> str:
            return of_text(type_, _collated(literal(value), type_))

        changes = TrackedChanges.of(self._session.query, _table(spec), self._types)
        highest = self._session.scalar(
            f"select top (1) {as_text(type_, column.source)} from {_table(spec)} as t "
            f"where {placed} order by {cursor} desc"
        )
        low, warning = watermark.cursor_to, None
        is_below = f"select case when {at(highest or '')} < {at(low or '')} then 1 else 0 end"
        if low is not None and highest is not None and self._session.scalar(is_below):
            warning = (
                f"the highest {spec.cursor} at the source, {highest}, is below the last "
                f"batch's, {low}: if it was restored from a backup, use --full-refresh"
            )
        to = low if warning or highest is None else highest

        def lookback(end: str) -> str:
            """The condition for all that a batch starting at `end` would read again."""
            within = f"{cursor} <= {at(end)}"
            if not _begins_with_time(spec, type_, end):
                within = f"{cursor} >= {_minus_lookback(spec, type_, at(end))} and {within}"
            return " or ".join([f"({within})", *placeless])

        def digest(end: str) -> str:
            return self._digest(spec, columns, lookback(end))

        condition = f"({cursor} > {at(low)} and {placed})" if low is not None else None
        may_be_gone, known = True, version_of(watermark.overlap)
        if changes:
            overlap: str | None = changes.overlap
            if low is not None and known is not None and changes.reach_back_to(known):
                self._read_since = (changes, known)
                condition = changes.condition(known)
                may_be_gone = changes.deleted_any(known)
            elif low is not None:
                condition = f"({cursor} > {at(low)} or {lookback(low)})"
        elif type_.name == ROWVERSION:
            overlap = None
            condition = condition or placed
        else:
            overlap = digest(to) if to is not None else None
            if low is not None and digest(low) != watermark.overlap:
                condition = f"({cursor} > {at(low)} or {lookback(low)})"
        if since is not None:  # reads more than the watermark asks for, never less
            wanted = [f"{cursor} >= {at(since)}", *placeless]
            condition = " or ".join([*wanted, condition] if condition else wanted)
        cursor_from = low if since is None else since
        return Window(condition, cursor_from, to, overlap, warning, keys_may_be_gone=may_be_gone)

    def estimate(self, spec: TableSpec, condition: str | None) -> int:
        rows = self._session.scalar(_ROWS, _table(spec)) if condition is None else None
        if not rows:  # a view, or some of the rows: then there is nothing but to count
            where = f" where {condition}" if condition else ""
            rows = self._session.scalar(f"select count_big(*) from {_table(spec)} as t{where}")
        return int(rows)

    def key_condition(self, keys: Sequence[Column], values: Sequence[Sequence[str]]) -> str:
        types = [self._types[key.source] for key in keys]
        rows = [
            [_key_text(type_, value) for type_, value in zip(types, row, strict=True)]
            for row in values
        ]
        fields = ", ".join(f"k{n} nvarchar(4000) '$[{n}]'" for n in range(len(keys)))
        same = " and ".join(
            _same_key(
                f"t.{identifier(key.source)}", of_text(type_, _collated(f"k.k{n}", type_)), type_
            )
            for n, (key, type_) in enumerate(zip(keys, types, strict=True))
        )
        documents = literal(json.dumps(rows, ensure_ascii=False))
        return f"exists (select 1 from openjson({documents}) with ({fields}) as k where {same})"

    def key_digests(
        self,
        spec: TableSpec,
        keys: Sequence[Column],
        like: KeyDigests | None = None,
        condition: str | None = None,
        rows: Sequence[Column] = (),
    ) -> KeyDigests | None:
        names = [column.name for column in (*keys, *rows)]
        first = f"convert(bigint, {keys[0].expression})"
        where = f" where {condition}" if condition else ""
        digest = self._hash_of(rows or keys)
        nulls = " or ".join(f"{identifier(key.source)} is null" for key in keys)

        def read(bits: int | None) -> KeyDigests | None:
            range_ = "0" if bits is None else _range(first, bits)
            found = self._session.query(
                f"select r, count_big(*), sum(h), max(is_null) from (select {range_} as r, "
                f"{digest} as h, case when {nulls} then 1 else 0 end as is_null "
                f"from {_table(spec)} as t{where}) as hashed group by r"
            )
            if any(has_null for *_, has_null in found):
                return None
            return KeyDigests(names, bits, {int(r): (int(n), int(sum_)) for r, n, sum_, _ in found})

        if self._types[keys[0].source].name not in INTEGERS:
            return read(None)
        if condition is not None:
            return read((like.bits if like else None) or 0)
        return key_digests.digests_of_all(read, like, lambda: self._bounds(spec, first))

    def within(self, keys: Sequence[Column], intervals: Sequence[Interval]) -> str:
        return key_digests.condition(f"t.{identifier(keys[0].source)}", intervals)

    def stream(self, spec: TableSpec, columns: Sequence[Column], condition: str | None) -> Stream:
        forms = [form(self._types[column.source]) for column in columns]
        names = [column.name for column in columns]
        where = f" where {condition}" if condition else ""
        selected = ", ".join(f"{c.expression} as c{n}" for n, c in enumerate(columns))
        query = f"select {selected} from {_table(spec)} as t{where}"

        def make(constants: Mapping[str, tuple[object, str]]) -> _Rows:
            values = [value for value, _ in constants.values()]

            def write(rows: Sequence[Sequence[Any]]) -> bytes:
                if self.formats[0] == COPY_TEXT:
                    return copy_text(rows, forms, [str(value) for value in values])
                return json_lines(rows, forms, [*names, *constants], values)

            def refuse(row: Sequence[Any], column: int) -> ExtractError:
                shown = [
                    f"{key.source} = {value!r}"
                    for key, value in zip(columns, row, strict=True)
                    if key.source in (spec.primary_key or (columns[0].source,))
                ]
                return ExtractError(
                    f"{self._name}: {columns[column].source} holds the character zero, which no "
                    "text in Postgres can. Mend the row there, or leave the column out with "
                    "`exclude`. Nothing of this batch has landed. "
                    f"DETAIL: the row with {', '.join(shown)[:200]}"
                )

            return _Rows(
                *(self._session, self._name, query, self.formats[0], write, refuse),
                self._check_changes,
            )

        return make

    def close(self) -> None:
        self._session.close()

    def _check_changes(self) -> None:
        """Whether the server still knew all changes that were read; a snapshot keeps them."""
        if self._read_since is None or self._session.is_of_one_moment:
            return
        changes, version = self._read_since
        if not changes.still_reach_back_to(version):
            raise TransientError(
                f"{self._name}: changes of {changes.table} were forgotten while they were read."
            )

    def _first_active_rowversion(self) -> int | None:
        """The lowest rowversion that a transaction under way may still write."""
        try:
            active = self._session.scalar(
                f"select case when {IS_WRITTEN_TO} "
                "then convert(bigint, min_active_rowversion()) end"
            )
        except TransientError:
            raise
        except ExtractError:
            return None  # the server has no rowversions
        return None if active is None else int(active)

    def _limit(self, cursor: str, type_: SourceType) -> list[str]:
        """Of a rowversion, only what no transaction under way can still come below."""
        if type_.name != ROWVERSION:
            return []
        if self._active is None:
            raise ExtractError(
                f"{self._name}: the server does not say which rowversions are still to come "
                "(min_active_rowversion(); a read-only copy can't), so a cursor of them would lose "
                "rows. Name another, or read where rows are written."
            )
        return [f"{cursor} < {of_text(type_, str(self._active))}"]

    def _digest(self, spec: TableSpec, columns: Sequence[Column], condition: str) -> str:
        """Identifies the content of some rows: their number, and the sum of their hashes."""
        return str(
            self._session.scalar(
                f"select concat(count_big(*), ':', coalesce(sum({self._hash_of(columns)}), 0)) "
                f"from {_table(spec)} as t where {condition}"
            )
        )

    def _hash_of(self, columns: Sequence[Column]) -> str:
        return _hash([_written(self._types[column.source], column.source) for column in columns])

    def _bounds(self, spec: TableSpec, key: str) -> tuple[int | None, int | None]:
        ((low, high),) = self._session.query(f"select min({key}), max({key}) from {_table(spec)}")
        return low, high

    def _no_table(self, spec: TableSpec) -> ExtractError:
        names = [
            f"{schema}.{name}"
            for schema, name in self._session.query(
                "select schema_name(schema_id), name from sys.objects "
                "where type in ('U', 'V') and is_ms_shipped = 0"
            )
        ]
        wanted = ".".join(spec.from_)
        near = difflib.get_close_matches(wanted, names, n=3) or sorted(names)[:10]
        return ExtractError(
            f"{self._name}: there is no table {wanted}, or its user may not see it. "
            f"It sees: {', '.join(near) or 'none'}."
        )


class _Rows:
    """A `Producer`: the rows of one query, a chunk at a time."""

    def __init__(
        self,
        session: Session,
        name: str,
        query: str,
        format_: str,
        write: Callable[[Sequence[Sequence[Any]]], bytes],
        refuse: Callable[[Sequence[Any], int], ExtractError],
        check: Callable[[], None],
    ) -> None:
        self.format = format_
        self._name = name
        self._query = query
        self._write, self._refuse, self._check = write, refuse, check
        self._session = session
        self._cursor: pyodbc.Cursor | None = None
        self._has_sent = False

    def __call__(self, sink: Sink) -> int:
        return self._session.read(lambda: self._send(sink))

    def _send(self, sink: Sink) -> int:
        if self._has_sent:  # as of a view whose second half is in another database
            raise ExtractError(f"{self._session.refusal} That was said when rows had been sent.")
        sent, wanted = 0, FIRST_ROWS
        with self._session.cursor() as self._cursor:
            self._cursor.execute(self._query)
            while rows := self._fetch(wanted, sent):
                chunk = self._lines(rows)
                self._has_sent = True
                sink(chunk, len(rows))
                sent += len(rows)
                # A chunk's size is kept, so that memory stays flat however wide a row is.
                wanted = max(1, min(MOST_ROWS, CHUNK_BYTES * len(rows) // len(chunk)))
        self._check()
        return sent

    def cancel(self) -> None:
        with suppress(pyodbc.Error):  # already over: the error that ended it is reported
            if self._cursor is not None:
                self._cursor.cancel()

    def _fetch(self, wanted: int, sent: int) -> list[Any]:
        assert self._cursor is not None  # noqa: S101  # for mypy
        try:
            return list(self._cursor.fetchmany(wanted))
        except UnicodeDecodeError:
            raise ExtractError(
                f"{self._name}: a text in one of the {wanted} rows after the first {sent} holds "
                "half of a surrogate pair, which is no character. Mend the row there, or leave the "
                "column out with `exclude`. Nothing of this batch has landed."
            ) from None

    def _lines(self, rows: Sequence[Sequence[Any]]) -> bytes:
        try:
            return self._write(rows)
        except ZeroError as error:
            raise self._refuse(rows[error.row], error.column) from None


def _unordered(cursor: str, type_: SourceType) -> list[str]:
    """The conditions for values that are not in the order of the others: those of the future."""
    if type_.name not in IN_TIME:
        return []
    now = "sysdatetimeoffset()" if type_.name == "datetimeoffset" else "sysutcdatetime()"
    return [f"{cursor} > dateadd(day, 1, {now})"]


def _begins_with_time(spec: TableSpec, type_: SourceType, end: str) -> bool:
    """Whether the lookback reaches before the first moment that the type has; that is no value."""
    if type_.name not in IN_TIME:
        return False
    lookback = timedelta(seconds=lookback_seconds(spec), days=1)  # a day for the time zone
    try:
        return datetime.fromisoformat(end[:19]) - _FIRST.get(type_.name, datetime.min) < lookback
    except ValueError:  # the watermark of another column; what is wrong with it the server says
        return False


def _minus_lookback(spec: TableSpec, type_: SourceType, value: str) -> str:
    if type_.name == ROWVERSION:  # what is under way is not read, so nothing comes late
        return value
    if type_.name not in IN_TIME:
        return value if spec.lookback is None else f"({value} - {_lookback_number(spec)})"
    seconds = lookback_seconds(spec)
    moment = f"convert(datetime2(7), {value})" if type_.name == "date" else value
    return f"dateadd(second, -{seconds}, {moment})"


def _lookback_number(spec: TableSpec) -> str:
    """The lookback of a cursor in numbers; raises ExtractError if it is none."""
    text = spec.lookback or "0"
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ExtractError(f"{spec.name}: the `lookback` of its cursor is a number, not {text!r}.")
    return text


def lookback_seconds(spec: TableSpec) -> int:
    """The lookback of a cursor in time, such as `10 minutes` or `1 day 12 hours`."""
    text = spec.lookback or DEFAULT_LOOKBACK
    parts = re.findall(r"(\d+)\s*([a-z]+?)s?(?:\s+|$)", text.lower())
    if not re.fullmatch(r"(\d+\s*[a-z]+\s*)+", text.lower()) or any(
        unit not in _UNITS for _, unit in parts
    ):
        raise ExtractError(
            f"{spec.name}: the `lookback` of its cursor is a duration like `10 minutes`, in "
            f"{', '.join(_UNITS)}s, not {text!r}."
        )
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def _collated(value: str, type_: SourceType) -> str:
    return f"{value} collate {type_.collation}" if type_.collation else value


def _same_key(column: str, value: str, type_: SourceType) -> str:
    """The condition for the key that landed as this value, which has six digits of a second."""
    if type_.name in ("datetime2", "datetimeoffset", "time") and type_.scale > 6:
        return f"({column} >= {value} and {column} <= dateadd(nanosecond, 900, {value}))"
    return f"{column} = {value}"


def _key_text(type_: SourceType, value: str) -> str:
    """A key that a warehouse wrote as text, as SQL Server reads it."""
    kind = form(type_)
    if kind is Form.BOOLEAN:
        return "1" if value in ("1", "true", "t") else "0"
    if kind is Form.BYTES:
        return "0x" + value.removeprefix("\\x").removeprefix("0x")
    if type_.name == "datetimeoffset":  # both warehouses hold it in UTC
        return re.sub(r"([+-]\d\d(:\d\d)?)?$", "", value, count=1).replace("T", " ") + " +00:00"
    if kind is Form.MOMENT:
        return value.replace("T", " ")
    return value


def _written(type_: SourceType, column: str) -> str:
    """All of a value as text that no other value, null included, is written as."""
    # Columns of two collations are not concatenated otherwise; no value changes by it.
    text = f"{as_text(type_, column)} collate database_default"
    value = f"concat(datalength({text}), ':', {text})"
    return f"case when {identifier(column)} is null then '~' else {value} end"


def _hash(values: Sequence[str]) -> str:
    """64 bits of a row's SHA-256, as a decimal: the sum of many of them is no bigint."""
    digest = f"hashbytes('sha2_256', {_concatenated(values)})"
    return f"convert(decimal(38, 0), convert(bigint, substring({digest}, 1, 8)))"


def _range(key: str, bits: int) -> str:
    """The number of the range, 2**bits wide, that a bigint is in; T-SQL divides towards zero."""
    # As a constant of its own, one of 2**31 or more would be a decimal, and so would the quotient.
    width = f"convert(bigint, {2**bits})"
    return f"case when {key} < 0 then -(~{key} / {width}) - 1 else {key} / {width} end"


def _concatenated(values: Sequence[str], at_once: int = 200) -> str:
    """concat() takes at most 254 values."""
    groups = [values[start : start + at_once] for start in range(0, len(values), at_once)]
    joined = [f"concat(convert(nvarchar(max), ''), {', '.join(group)})" for group in groups]
    return joined[0] if len(joined) == 1 else f"concat({', '.join(joined)})"


def _table(spec: TableSpec) -> str:
    return identifier(*spec.from_)
