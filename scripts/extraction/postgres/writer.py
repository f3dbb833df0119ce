"""Writes to a Postgres warehouse: whole batches."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import psycopg2
import psycopg2.errors
import psycopg2.extensions

from common.environment import check_environment
from common.postgres import identifier, literal
from common.warehouse import WarehouseError
from extraction import key_digests
from extraction.engine import (
    BATCH_ID,
    DELETED_AT,
    LOADED_AT,
    METADATA,
    Batch,
    BatchResult,
    Producer,
    Stream,
    Watermark,
    Window,
)
from extraction.errors import ExtractError, NullKeyError, TransientError
from extraction.key_digests import Interval
from extraction.names import MAX_BYTES
from extraction.postgres import ledger, types
from extraction.postgres.copy_pipe import RowsLostError, copy_in
from extraction.postgres.errors import translated
from extraction.postgres.reader import BINARY, DOCUMENTS, LINES
from extraction.spec import TableSpec

WHERE = "warehouse"

# How long a run waits for another run of the same table.
OTHER_RUN_TIMEOUT = "30min"
# How long a run waits for readers of a landing table that it is about to change. Readers that come
# later queue behind each try, so tries are short and there are many.
READERS_TRY = "200ms"
READERS_TIMEOUT = 600.0
FETCHED_ROWS = 10_000
TEXT = "copy text"
# COPY's options for each format of a stream.
_OPTIONS = {BINARY: "format binary", TEXT: "format text", DOCUMENTS: LINES}

_COLUMNS = """
    select a.attname, coalesce(e.typname || '[]', t.typname)
    from pg_catalog.pg_attribute as a
    inner join pg_catalog.pg_type as t on t.oid = a.atttypid
    left join pg_catalog.pg_type as e on e.oid = t.typelem and t.typcategory = 'A'
    where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""
# What others may do with a table, as statements that let them do it with the one in its place.
_GRANTS = """
    select format(
        'grant %%s%%s on %%s to %%s%%s', privilege_type, on_column, %s,
        case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
        case when is_grantable then ' with grant option' else '' end
    )
    from pg_catalog.pg_class as c
    cross join lateral (
        select '' as on_column, acl.* from aclexplode(c.relacl) as acl
        union all
        select format(' (%%I)', a.attname), acl.*
        from pg_catalog.pg_attribute as a
        cross join aclexplode(a.attacl) as acl
        where a.attrelid = c.oid and not a.attisdropped
    ) as granted
    where c.oid = to_regclass(%s) and grantee <> c.relowner
"""


class PostgresWriter:
    """A `Writer` for Postgres 15 and later. One connection; transactions are its own."""

    formats: Sequence[str] = (BINARY, TEXT, DOCUMENTS)

    def __init__(self, connect: Callable[[], psycopg2.extensions.connection]) -> None:
        self._connect = connect
        self._connection = connect()

    def check_environment(self, target: str) -> None:
        with translated(WHERE):
            try:
                check_environment(self._connection, target)
            except WarehouseError as error:
                raise ExtractError(str(error)) from None

    def abandon_killed(self) -> None:
        with translated(WHERE), self._connection.cursor() as cursor:
            ledger.abandon_killed(cursor)

    def lock(self, spec: TableSpec) -> None:
        with translated(WHERE):
            # A notice in the middle of a COPY would be taken for the end of it.
            self._execute("set client_min_messages = error")
            self._execute(f"set lock_timeout = '{OTHER_RUN_TIMEOUT}'")
            try:
                self._execute(
                    "select pg_advisory_lock(hashtextextended(%s, 0))",
                    f"medallion extract {spec.name}",
                )
            except psycopg2.errors.LockNotAvailable:
                raise ExtractError(
                    f"{spec.name}: another run has been loading it for {OTHER_RUN_TIMEOUT}; "
                    "see ops.extract_batches where status = 'running'."
                ) from None
            self._execute("set lock_timeout = 0")

    def watermark(self, spec: TableSpec) -> Watermark:
        with translated(WHERE), self._connection.cursor() as cursor:
            # Who drops a landing table wants all of it again, not what is new.
            return ledger.watermark(cursor, spec) if self._exists(spec) else Watermark()

    def landing_columns(self, spec: TableSpec) -> dict[str, str]:
        with translated(WHERE), self._connection.cursor() as cursor:
            cursor.execute(_COLUMNS, [identifier(*spec.landing)])
            found = dict(cursor.fetchall())
        return {name: type_ for name, type_ in found.items() if name not in METADATA}

    def is_over(self, name: str) -> str | None:
        # Postgres would cut it, and not find it by this name again.
        return f"{MAX_BYTES} bytes" if len(name.encode()) > MAX_BYTES else None

    def widens(self, old: str, new: str) -> bool:
        return types.widens(old, new)

    def repair_hint(self, spec: TableSpec, column: str, type_: str) -> str:
        name, table = identifier(column), identifier(*spec.landing)
        return (
            "To go on, either mend the source, or give landing a type that holds both, such as: "
            f"alter table {table} alter column {name} type text using {name}::text; "
            f"and, in the source's YAML, keep it so."
            if type_ == "text"
            else "To go on, either mend the source, or drop or rename the old column and run again "
            f"(its values then start anew): alter table {table} rename column {name} to "
            f"{identifier(column + '_old')};"
        )

    def begin(self, spec: TableSpec, run_id: str) -> Batch:
        with translated(WHERE), self._connection.cursor() as cursor:
            ledger.ensure_schema(cursor, spec.landing[0])
            ledger.ensure_ledger(cursor)
            cursor.execute("begin")
            batch = ledger.begin(cursor, spec, run_id)
            cursor.execute("commit")
            return batch

    def evolve(self, spec: TableSpec, added: Mapping[str, str], widened: Mapping[str, str]) -> None:
        changes = [f"add column {identifier(name)} {type_}" for name, type_ in added.items()]
        changes += [
            f"alter column {identifier(name)} type {type_}" for name, type_ in widened.items()
        ]
        if changes and self.landing_columns(spec):
            with translated(f"{WHERE}: changing {spec.name}"):
                self._begin()
                self._wait_for_readers(spec)
                self._execute(f"alter table {identifier(*spec.landing)} {', '.join(changes)}")
                self._execute("commit")

    def append(
        self, spec: TableSpec, columns: Mapping[str, str], stream: Stream, batch: Batch
    ) -> int:
        with translated(WHERE):
            self._begin()
            if not self._exists(spec):
                rows = self._create(spec, spec.landing, columns, list(columns), stream, batch)
                if spec.mode == "compare":
                    self._check_keys(spec, spec.landing, spec.landed_key)
                return rows
            self._index(spec, by_key=spec.deletes == "soft")
            constants = {
                BATCH_ID: (batch.id, "int8"),
                LOADED_AT: (batch.loaded_at.isoformat(), "timestamptz"),
            }
            return self._copy(spec.landing, [*columns, *constants], stream(constants))

    def append_differing(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        stream: Stream,
        within: Sequence[Interval] | None,
        batch: Batch,
    ) -> tuple[int, int, int]:
        with translated(WHERE):
            self._begin()
            self._index(spec, by_key=True)
            self._take("_source", columns, stream)
            self._check_keys(spec, ("_source",), keys)
            where = "" if within is None else _where_within(keys, within)
            return self._append_differing(spec, columns, keys, where, batch)

    def stage(self, spec: TableSpec, stream: Stream) -> None:
        with translated(WHERE):
            self._begin()
            # Survives the commit with which a change of the landing table ends.
            self._execute("create temporary table _staged (document json)")
            self._copy(("_staged",), ["document"], stream({}))

    def append_changes(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        between: tuple[str, str],
        batch: Batch,
    ) -> tuple[int, int, int]:
        with translated(WHERE):
            self._begin()
            if not self._exists(spec):
                self._create_empty(spec, columns)
            typed = ", ".join(f"{identifier(name)} {type_}" for name, type_ in columns.items())
            low, high = map(literal, between)
            cursor = identifier(spec.lands_as(spec.cursor or ""))
            self._execute(
                "create temporary table _source on commit drop as "
                f"select r.* from _staged, json_to_record(document) as r ({typed})"
            )
            where = f"where {cursor} between {low} and {high}"
            counts = self._append_differing(spec, columns, keys, where, batch)
            self._execute("drop table _staged")
            return counts

    def replace(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        sent: Sequence[str],
        stream: Stream,
        batch: Batch,
        keep_deleted: Sequence[str],
    ) -> tuple[int, int]:
        table = identifier(*spec.landing)
        with translated(WHERE):
            self._begin()
            is_first = not self._exists(spec)
            draft = spec.landing if is_first else (spec.landing[0], f"_batch_{batch.id}")
            rows = self._create(spec, draft, columns, sent, stream, batch)
            self._check_keys(spec, draft, keep_deleted)
            if is_first:
                return rows, 0
            if self._is_same(spec, draft, columns):
                self._execute(f"drop table {identifier(*draft)}")
                return 0, 0
            deleted = self._keep_deleted(spec, draft, columns, keep_deleted, batch)
            if not rows and not keep_deleted:
                # A table that was emptied has changed, which nothing else would tell.
                deleted = int(self._query(f"select count(*) from {table}")[0][0])
            for grant in self._query(_GRANTS, identifier(*draft), table):
                self._execute(grant[0])
            self._wait_for_readers(spec)
            self._execute(f"drop table {table}")
            name = identifier(spec.landing[1])
            self._execute(f"alter table {identifier(*draft)} rename to {name}")
            return rows, deleted

    def new_keys(
        self, spec: TableSpec, keys: Sequence[str], batch: Batch
    ) -> Iterator[tuple[str, ...]]:
        landing = identifier(*spec.landing)
        texts = ", ".join(f"b.{identifier(key)}::text" for key in keys)
        same = " and ".join(f"b.{identifier(key)} = l.{identifier(key)}" for key in keys)
        with translated(WHERE):
            self._execute(
                f"create temporary table _new on commit drop as select {texts} "
                f"from {landing} as b where b.{BATCH_ID} = {batch.id} and not exists ("
                f"select 1 from {landing} as l where {same} and l.{BATCH_ID} < {batch.id})"
            )
        return self._fetch("_new")

    def compare_keys(
        self,
        spec: TableSpec,
        keys: Mapping[str, str],
        stream: Stream,
        batch: Batch,
        within: Sequence[Interval] | None,
    ) -> tuple[int, Iterator[tuple[str, ...]], Iterator[tuple[str, ...]]]:
        landing = identifier(*spec.landing)
        landed = landing if within is None else "_landed"
        names = ", ".join(map(identifier, keys))
        same = " and ".join(f"k.{identifier(key)} = l.{identifier(key)}" for key in keys)
        data = ", ".join(map(identifier, self.landing_columns(spec)))
        loaded_at = literal(batch.loaded_at)
        with translated(WHERE):
            self._take("_keys", keys, stream)
            self._check_keys(spec, ("_keys",), list(keys))
            self._execute("analyze _keys")
            if within is not None:
                self._execute(
                    "create temporary table _landed on commit drop as "
                    f"select * from {landing} {_where_within(list(keys), within)}"
                )
                self._execute("analyze _landed")
            # The newest row of each key that is gone, unless it says so already.
            deleted = self._execute(
                f"insert into {landing} ({data}, {LOADED_AT}, {BATCH_ID}, {DELETED_AT}) "
                f"select {data}, {loaded_at}, {batch.id}, {loaded_at} from ("
                f"select l.*, row_number() over (partition by {names} order by {BATCH_ID} desc) "
                f"as _nth from {landed} as l "
                f"where not exists (select 1 from _keys as k where {same})) as gone "
                f"where _nth = 1 and {DELETED_AT} is null"
            )
            # Keys whose newest row is flagged although the source has them, and keys that never
            # landed: rows that were committed later than the lookback reaches back.
            texts = ", ".join(f"{identifier(key)}::text" for key in keys)
            self._execute(
                "create temporary table _returned on commit drop as "
                f"select {texts} from ("
                f"select l.*, row_number() over (partition by {names} order by {BATCH_ID} desc) "
                f"as _nth from {landed} as l where exists ("
                f"select 1 from _keys as k where {same}) and exists ("
                f"select 1 from {landed} as k where {same} and k.{DELETED_AT} is not null)"
                f") as back where _nth = 1 and {DELETED_AT} is not null"
            )
            self._execute(
                "create temporary table _late on commit drop as "
                f"select {texts} from _keys as k "
                f"where not exists (select 1 from {landed} as l where {same})"
            )
            self._execute("drop table _keys")
        return deleted, self._fetch("_returned"), self._fetch("_late")

    def commit(self, batch: Batch, result: BatchResult, window: Window) -> None:
        with translated(WHERE):
            with self._connection.cursor() as cursor:
                ledger.loaded(cursor, batch, result, window)
            self._execute("commit")

    def fail(self, batch: Batch, error: str) -> None:
        # The failure itself is what the caller reports. If the warehouse is gone too, the next run
        # finds the batch running without its lock and says that it was abandoned.
        with suppress(psycopg2.Error, ExtractError):
            if self._connection.closed:
                self._connection = self._connect()
            self._execute("rollback")
            with self._connection.cursor() as cursor:
                ledger.failed(cursor, batch, error)

    def close(self) -> None:
        self._connection.close()

    def _begin(self) -> None:
        if self._connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE:
            self._execute("begin")

    def _wait_for_readers(self, spec: TableSpec) -> None:
        """Locks the landing table for a change, without making later readers wait for long."""
        self._execute(f"set local lock_timeout = '{READERS_TRY}'; savepoint readers")
        deadline = time.monotonic() + READERS_TIMEOUT
        while True:
            try:
                self._execute(f"lock table {identifier(*spec.landing)} in access exclusive mode")
                self._execute("set local lock_timeout = 0")
                return
            except psycopg2.errors.LockNotAvailable:
                if time.monotonic() > deadline:
                    raise ExtractError(
                        f"{spec.name}: {identifier(*spec.landing)} has been in use for "
                        f"{READERS_TIMEOUT:g} s, so it could not be changed; see pg_stat_activity "
                        "for who holds it. Landing is unchanged."
                    ) from None
                self._execute("rollback to savepoint readers")
                time.sleep(random.uniform(0.1, 0.5))  # noqa: S311  # jitter, not cryptography

    def _index(self, spec: TableSpec, *, by_key: bool) -> None:
        """Lets bronze find new batches, and later batches find keys, without reading all rows.

        Made with the second batch: the first is read as a whole anyway. Of batches, a few bytes
        for a megabyte.
        """
        table = identifier(*spec.landing)
        indexed = self._query(
            "select a.attname from pg_catalog.pg_index as i "
            "inner join pg_catalog.pg_attribute as a "
            "on a.attrelid = i.indrelid and a.attnum = i.indkey[0] "
            "where i.indrelid = to_regclass(%s)",
            table,
        )
        # Postgres chooses names that no table has.
        if (BATCH_ID,) not in indexed:
            options = "with (pages_per_range = 16, autosummarize = on)"
            self._execute(f"create index on {table} using brin ({BATCH_ID}) {options}")
        if by_key and (spec.landed_key[0],) not in indexed:
            names = ", ".join(map(identifier, spec.landed_key))
            self._execute(f"create index on {table} ({names}, {BATCH_ID})")

    def _exists(self, spec: TableSpec) -> bool:
        return bool(
            self._query("select 1 where to_regclass(%s) is not null", identifier(*spec.landing))
        )

    def _create(
        self,
        spec: TableSpec,
        name: tuple[str, str],
        columns: Mapping[str, str],
        sent: Sequence[str],
        stream: Stream,
        batch: Batch,
    ) -> int:
        """Makes and fills a new table; its metadata costs nothing, because it is not sent."""
        table = identifier(*name)
        definitions = ", ".join(
            f"{identifier(column)} {type_}" for column, type_ in columns.items()
        )
        self._execute(f"create table {table} ({definitions})")
        rows = self._copy(name, sent, stream({}), is_new=True)
        self._execute(
            f"alter table {table} "
            f"add column {LOADED_AT} timestamptz not null default {literal(batch.loaded_at)}, "
            f"add column {BATCH_ID} int8 not null default {batch.id}, "
            f"add column {DELETED_AT} timestamptz"
        )
        self._execute(
            f"alter table {table} alter column {LOADED_AT} drop default, "
            f"alter column {BATCH_ID} drop default"
        )
        return rows

    def _is_same(self, spec: TableSpec, draft: Sequence[str], columns: Mapping[str, str]) -> bool:
        """Whether the draft holds the rows that landing holds: their number and their hashes."""
        if self.landing_columns(spec) != dict(columns):
            return False
        names = ", ".join(map(identifier, columns))
        drafted, landed = (
            self._query(
                "select count(*), sum(hashtextextended((t.*)::text, 0)) "
                f"from (select {names} from {identifier(*table)} where {DELETED_AT} is null) as t"
            )
            for table in (draft, spec.landing)
        )
        return drafted == landed

    def _create_empty(self, spec: TableSpec, columns: Mapping[str, str]) -> None:
        """Makes a landing table whose rows are found by their key."""
        table = identifier(*spec.landing)
        types = {**columns, LOADED_AT: "timestamptz not null", BATCH_ID: "int8 not null"}
        types[DELETED_AT] = "timestamptz"
        definitions = ", ".join(f"{identifier(name)} {type_}" for name, type_ in types.items())
        self._execute(f"create table {table} ({definitions})")
        self._index(spec, by_key=True)

    def _take(self, name: str, columns: Mapping[str, str], stream: Stream) -> None:
        """Sends a stream into a table of this transaction."""
        definitions = ", ".join(f"{identifier(name)} {type_}" for name, type_ in columns.items())
        self._execute(f"create temporary table {name} ({definitions}) on commit drop")
        self._copy((name,), list(columns), stream({}), is_new=True)

    def _append_differing(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        where: str,
        batch: Batch,
    ) -> tuple[int, int, int]:
        """Lands the rows of `_source` that differ from landing's newest of their key.

        `where` selects of landing what `_source` has all of. Rows differ if they do as text, in
        which a number has its scale and any type can be compared.
        """
        landing = identifier(*spec.landing)
        names = ", ".join(map(identifier, columns))
        key = ", ".join(map(identifier, keys))
        same = " and ".join(f"s.{identifier(name)} = l.{identifier(name)}" for name in keys)
        compared = ", ".join(f"{{0}}.{identifier(name)}" for name in columns)
        self._execute(
            "create temporary table _landed on commit drop as "
            f"select distinct on ({key}) * from {landing} {where} order by {key}, {BATCH_ID} desc"
        )
        self._execute("analyze _source; analyze _landed")
        restored = self._query(
            f"select count(*) from _source as s inner join _landed as l on {same} "
            f"where l.{DELETED_AT} is not null"
        )[0][0]
        rows = self._execute(
            f"insert into {landing} ({names}, {LOADED_AT}, {BATCH_ID}) "
            f"select {names}, {literal(batch.loaded_at)}, {batch.id} from _source as s "
            f"where not exists (select 1 from _landed as l where {same} "
            f"and l.{DELETED_AT} is null "
            f"and row({compared.format('s')})::text = row({compared.format('l')})::text)"
        )
        deleted = self._flag_gone(spec, same, batch) if spec.deletes == "soft" else 0
        return rows - int(restored), deleted, int(restored)

    def _flag_gone(self, spec: TableSpec, same: str, batch: Batch) -> int:
        """Lands a flagged copy of each row in `_landed` that `_source` has no more."""
        data = ", ".join(map(identifier, self.landing_columns(spec)))
        loaded_at = literal(batch.loaded_at)
        return self._execute(
            f"insert into {identifier(*spec.landing)} "
            f"({data}, {LOADED_AT}, {BATCH_ID}, {DELETED_AT}) "
            f"select {data}, {loaded_at}, {batch.id}, {loaded_at} from _landed as l "
            f"where {DELETED_AT} is null and not exists (select 1 from _source as s where {same})"
        )

    def _check_keys(self, spec: TableSpec, name: Sequence[str], keys: Sequence[str]) -> None:
        """A key that is null equals nothing, itself included: its row would seem to be gone."""
        nulls = " or ".join(f"{identifier(key)} is null" for key in keys)
        if nulls and self._query(f"select 1 from {identifier(*name)} where {nulls} limit 1"):
            raise NullKeyError(spec.name, keys)

    def _keep_deleted(
        self,
        spec: TableSpec,
        draft: tuple[str, str],
        columns: Mapping[str, str],
        keys: Sequence[str],
        batch: Batch,
    ) -> int:
        if not keys:
            return 0
        same = " and ".join(f"n.{identifier(key)} = l.{identifier(key)}" for key in keys)
        kept = [name for name in self.landing_columns(spec) if name in columns]
        data = ", ".join(map(identifier, kept))
        loaded_at = literal(batch.loaded_at)
        # One row per key: the table may be the log of a former mode cursor.
        names = ", ".join(map(identifier, keys))
        copied = self._query(
            f"with kept as (insert into {identifier(*draft)} "
            f"({data}, {LOADED_AT}, {BATCH_ID}, {DELETED_AT}) "
            f"select {data}, {loaded_at}, {batch.id}, coalesce({DELETED_AT}, {loaded_at}) "
            f"from (select l.*, row_number() over (partition by {names} order by {BATCH_ID} desc) "
            f"as _nth from {identifier(*spec.landing)} as l "
            f"where not exists (select 1 from {identifier(*draft)} as n where {same})) as gone "
            f"where _nth = 1 returning {DELETED_AT}) "
            f"select count(*) from kept where {DELETED_AT} = {loaded_at}"
        )
        return int(copied[0][0])

    def _copy(
        self,
        name: Sequence[str],
        columns: Sequence[str],
        producer: Producer,
        *,
        is_new: bool = False,
    ) -> int:
        """Sends a stream into a table, frozen if the same transaction made it."""
        options = _OPTIONS[producer.format] + (", freeze" if is_new else "")
        names = ", ".join(map(identifier, columns))
        statement = f"copy {identifier(*name)} ({names}) from stdin ({options})"
        try:
            return copy_in(self._connection, statement, producer)
        except RowsLostError as error:
            raise TransientError(f"{identifier(*name)}: {error}") from error

    def _fetch(self, table: str) -> Iterator[tuple[str, ...]]:
        """The rows of a table that may be large, a few at a time."""
        with translated(WHERE):
            self._execute(f"declare {table} no scroll cursor for select * from {table}")
            while rows := self._query(f"fetch {FETCHED_ROWS} from {table}"):
                yield from rows
            self._execute(f"close {table}")  # a frozen COPY bears no open cursor beside it

    def _execute(self, statement: str, *parameters: object) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.rowcount

    def _query(self, statement: str, *parameters: object) -> list[tuple[str, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall()


def _where_within(keys: Sequence[str], intervals: Sequence[Interval]) -> str:
    return f"where {key_digests.condition(identifier(keys[0]), intervals)}"
