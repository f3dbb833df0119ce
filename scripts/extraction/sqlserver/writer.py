"""Writes to a SQL Server warehouse: whole batches.

Nothing touches landing before `commit`. Rows are staged in a table of this session, which is gone
when the session is; those that make or replace a landing table in a draft beside it, which the next
run removes should this one die. So readers of landing wait for one short transaction, whatever the
size of a batch.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import pyodbc

from common.environment import check_environment
from common.sqlserver import identifier, literal
from common.warehouse import WarehouseError
from extraction import key_digests
from extraction.engine import (
    BATCH_ID,
    DELETED_AT,
    LOADED_AT,
    METADATA,
    Batch,
    BatchResult,
    Stream,
    Watermark,
    Window,
)
from extraction.errors import ExtractError, NullKeyError, TransientError
from extraction.key_digests import Interval
from extraction.spec import TableSpec
from extraction.sqlserver import landing_types as types
from extraction.sqlserver import ledger
from extraction.sqlserver.errors import HeldUpError
from extraction.sqlserver.landing_types import MOMENT, definition, listed
from extraction.sqlserver.loading import IS_FAITHFUL, Loader
from extraction.sqlserver.session import Session

WHERE = "warehouse"

# How long a run waits for another run of the same table.
OTHER_RUN_MINUTES = 30
TIMED_OUT = -1  # what sp_getapplock returns then
GOT = (0, 1)  # and if it got the lock, at once or after a while
# How long a run waits for readers of a landing table that it is about to change. Readers that come
# later queue behind each try, so tries are short and there are many.
READERS_TRY_MS = 200
READERS_TIMEOUT = 600.0
# Of all else that waits, such as to read landing while somebody writes to it.
WAIT = f"set lock_timeout {READERS_TIMEOUT * 1000:.0f}"
# After a try, and whenever a batch is taken back.
LET_GO = f"if @@trancount > 0 rollback transaction; {WAIT}"
FETCHED_ROWS = 10_000
KEY_INDEX = "by_key"

# Tables of this session: what the batch adds to landing, and what it is made from.
ROWS, KEYS, STAGED = "#rows", "#keys", "#staged"
SOURCE, LANDED = "#source", "#landed"
NEW, RETURNED, LATE = "#new", "#returned", "#late"
TEMPORARY = (ROWS, KEYS, STAGED, SOURCE, LANDED, NEW, RETURNED, LATE)

MAX_CHARACTERS = 128  # of a name

METADATA_TYPES = {
    LOADED_AT: f"{MOMENT} not null",
    BATCH_ID: "bigint not null",
    DELETED_AT: f"{MOMENT} null",
}

_COLUMNS = """
    select c.name, t.name, c.max_length, c.[precision], c.scale
    from sys.columns as c
    inner join sys.types as t on t.user_type_id = c.system_type_id
    where c.object_id = object_id(?)
    order by c.column_id
"""
_INDEXED = f"""
    select c.name
    from sys.indexes as i
    inner join sys.index_columns as k on k.object_id = i.object_id and k.index_id = i.index_id
    inner join sys.columns as c on c.object_id = k.object_id and c.column_id = k.column_id
    where i.object_id = object_id(?) and i.name = '{KEY_INDEX}'
    order by k.key_ordinal
"""
# What others may do with a table: state, permission, column (none for the table), principal.
_GRANTS = """
    select p.state_desc, p.permission_name, c.name, u.name
    from sys.database_permissions as p
    inner join sys.database_principals as u on u.principal_id = p.grantee_principal_id
    left join sys.columns as c on c.object_id = p.major_id and c.column_id = p.minor_id
    where p.class = 1 and p.major_id = object_id(?) and p.state in ('G', 'W', 'D')
"""
# What the database makes of texts: what it loses of one, and which it takes for equal.
_TEXTS = """
    select
        case when convert(nvarchar(10), convert(varchar(10), nchar(26085))) = nchar(26085)
            then 1 else 0 end,
        case when 'a' = 'A' then 0 else 1 end,
        convert(varchar(128), databasepropertyex(db_name(), 'Collation'))
"""


class SqlServerWriter:
    """A `Writer` for SQL Server 2019 and later. One connection; transactions are its own."""

    formats: Sequence[str] = ("json lines",)

    def __init__(self, connect: Callable[[], pyodbc.Connection]) -> None:
        self._connect = connect
        self._session = Session(connect(), WHERE)
        self._spec: TableSpec | None = None
        self._lock: str | None = None
        self._target: str | None = None  # the quoted table that holds what `commit` makes visible
        self._staged = 0
        self._loader = Loader(self._session)

    def check_environment(self, target: str) -> None:
        try:
            check_environment(self._session, target)
        except WarehouseError as error:
            raise ExtractError(str(error)) from None

    def abandon_killed(self) -> None:
        with self._session.cursor() as cursor:
            running = ledger.running(cursor)
        for batch_id, table in running:
            if self._get_lock(table, 0) in GOT:  # nobody loads it
                with self._session.cursor() as cursor:
                    ledger.abandoned(cursor, batch_id)
                self._release()

    def lock(self, spec: TableSpec) -> None:
        # Any error takes back the whole transaction, not one statement of it.
        self._session.execute(f"set xact_abort on; {WAIT}")
        got = self._get_lock(spec.name, OTHER_RUN_MINUTES * 60_000)
        if got not in (*GOT, TIMED_OUT):
            raise TransientError(f"{WHERE}: sp_getapplock for {spec.name} returned {got}")
        if got == TIMED_OUT:
            raise ExtractError(
                f"{spec.name}: another run has been loading it for {OTHER_RUN_MINUTES} minutes; "
                "see ops.extract_batches where status = 'running'."
            )

    def _get_lock(self, table: str, milliseconds: int) -> int:
        """Waits for the lock of a table; what sp_getapplock returns."""
        name = f"medallion extract {table}"
        if len(name) > 255:
            name = f"medallion extract {hashlib.sha256(name.encode()).hexdigest()}"
        got: int = self._session.scalar(
            "set nocount on; declare @got int; exec @got = sp_getapplock @Resource = ?, "
            "@LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = ?; select @got",
            name,
            milliseconds,
        )
        if got in GOT:
            self._lock = name
        return got

    def _release(self) -> None:
        if self._lock:
            self._session.execute(
                "exec sp_releaseapplock @Resource = ?, @LockOwner = 'Session'", self._lock
            )
            self._lock = None

    def watermark(self, spec: TableSpec) -> Watermark:
        with self._session.cursor() as cursor:
            # Who drops a landing table wants all of it again, not what is new.
            return ledger.watermark(cursor, spec) if self._exists(spec) else Watermark()

    def landing_columns(self, spec: TableSpec) -> dict[str, str]:
        found = self._session.query(_COLUMNS, identifier(*spec.landing))
        return {
            name: types.described(*described) for name, *described in found if name not in METADATA
        }

    def is_over(self, name: str) -> str | None:
        length = len(name.encode("utf-16-le")) // 2  # as a sysname counts
        return f"{MAX_CHARACTERS} characters" if length > MAX_CHARACTERS else None

    def widens(self, old: str, new: str) -> bool:
        return types.widens(old, new)

    def repair_hint(self, spec: TableSpec, column: str, type_: str) -> str:
        name, table = identifier(column), identifier(*spec.landing)
        return (
            "To go on, either mend the source, or give landing a type that holds both, such as: "
            f"alter table {table} alter column {name} {type_}; "
            "and, in the source's YAML, keep it so."
            if types.is_text(type_)
            else "To go on, either mend the source, or drop or rename the old column and run again "
            "(its values then start anew): "
            f"exec sp_rename {literal(f'{table}.{name}')}, {literal(column + '_old')}, 'COLUMN';"
        )

    def begin(self, spec: TableSpec, run_id: str) -> Batch:
        self._spec = spec
        with self._session.cursor() as cursor:
            self._check_texts()
            is_faithful = self._session.scalar(IS_FAITHFUL) == 1
            self._loader = Loader(self._session, is_faithful)
            ledger.ensure_schema(cursor, spec.landing[0])
            ledger.ensure_ledger(cursor)
            self._drop_draft(spec)
            self._session.execute("begin transaction")
            batch = ledger.begin(cursor, spec, run_id)
            self._session.execute("commit transaction")
            return batch

    def evolve(self, spec: TableSpec, added: Mapping[str, str], widened: Mapping[str, str]) -> None:
        if not (added or widened) or not self._exists(spec):
            return
        table = identifier(*spec.landing)
        changes = [
            f"alter table {table} alter column {identifier(name)} {type_}"
            for name, type_ in widened.items()
        ]
        indexed = [name for (name,) in self._session.query(_INDEXED, table)]
        if set(indexed) & set(widened):  # what an index holds can't change its type
            columns = listed(indexed)
            changes.insert(0, f"drop index {KEY_INDEX} on {table}")
            changes.append(f"create index {KEY_INDEX} on {table} ({columns})")
        changes += [
            f"alter table {table} add {definition(name, type_)} null"
            for name, type_ in added.items()
        ]

        def change() -> None:
            for statement in changes:
                self._session.execute(statement)

        self._when_unread(spec, change)

    def append(
        self, spec: TableSpec, columns: Mapping[str, str], stream: Stream, batch: Batch
    ) -> int:
        if spec.mode != "compare":
            return self._load(self._rows_of(spec, columns), columns, stream, batch)
        key_types = {name: columns[name] for name in spec.landed_key}
        target = self._rows_of(spec, columns, key_types)
        rows = self._load(target, columns, stream, batch)
        self._check_keys(spec, target, spec.landed_key)
        return rows

    def stage(self, spec: TableSpec, stream: Stream) -> None:
        self._staged = self._loader.keep(STAGED, stream({}))

    def append_changes(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        between: tuple[str, str],
        batch: Batch,
    ) -> tuple[int, int, int]:
        landing = identifier(*spec.landing)
        self._create(SOURCE, columns, is_temporary=True)
        self._loader.load_kept(SOURCE, columns, STAGED)
        typed = self._count(SOURCE)
        if typed != self._staged:
            raise TransientError(f"{landing}: {self._staged} rows were sent, {typed} arrived")
        low, high = map(literal, between)
        cursor = identifier(spec.lands_as(spec.cursor or ""))
        where = f"where l.{cursor} between {low} and {high}"
        return self._append_differing(spec, columns, keys, where, batch)

    def append_differing(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        stream: Stream,
        within: Sequence[Interval] | None,
        batch: Batch,
    ) -> tuple[int, int, int]:
        self._create(SOURCE, columns, is_temporary=True)
        self._loader.load(SOURCE, columns, {}, stream({}))
        self._check_keys(spec, SOURCE, keys)
        where = ""
        if within is not None:
            where = f"where {key_digests.condition(f'l.{identifier(keys[0])}', within)}"
        return self._append_differing(spec, columns, keys, where, batch)

    def _append_differing(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        where: str,
        batch: Batch,
    ) -> tuple[int, int, int]:
        """Adds the rows of SOURCE that differ from landing's newest of their key.

        `where` selects of landing what SOURCE has all of.
        """
        key_types = {name: columns[name] for name in keys}
        same = types.same_key("s", "l", key_types)
        target = self._rows_of(spec, columns, key_types)
        existing = identifier(*spec.landing) if self._exists(spec) else target
        everything = [*self._data(spec), *METADATA]
        self._session.execute(
            f"select {listed(everything)} into {LANDED} from "
            f"{_newest(existing, key_types, where)} where _nth = 1"
        )
        restored = self._count(
            f"{SOURCE} as s inner join {LANDED} as l on {same} where l.{DELETED_AT} is not null"
        )
        rows = self._insert(
            f"insert into {target} ({listed(columns)}, {LOADED_AT}, {BATCH_ID}) "
            f"select {listed(columns)}, {_moment(batch)}, {batch.id} from {SOURCE} as s "
            f"where not exists (select 1 from {LANDED} as l where {same} "
            f"and l.{DELETED_AT} is null "
            f"and {types.row_hash('s', columns)} = {types.row_hash('l', columns)})"
        )
        deleted = 0
        if spec.deletes == "soft":
            deleted = self._insert(
                f"insert into {target} ({listed(everything)}) "
                f"select {listed(self._data(spec))}, {_flagged(batch)} "
                f"from {LANDED} as l where {DELETED_AT} is null "
                f"and not exists (select 1 from {SOURCE} as s where {same})"
            )
        return rows - restored, deleted, restored

    def replace(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        sent: Sequence[str],
        stream: Stream,
        batch: Batch,
        keep_deleted: Sequence[str],
    ) -> tuple[int, int]:
        is_first = not self._exists(spec)
        draft = self._make_draft(spec, columns)
        rows = self._load(draft, {name: columns[name] for name in sent}, stream, batch)
        self._check_keys(spec, draft, keep_deleted)
        if is_first:
            return rows, 0
        if self._is_same(spec, draft, columns):
            self._drop_draft(spec)
            self._target = None
            return 0, 0
        deleted = self._keep_deleted(spec, draft, columns, keep_deleted, batch)
        if not rows and not keep_deleted:
            # A table that was emptied has changed, which nothing else would tell.
            deleted = self._count(identifier(*spec.landing))
        return rows, deleted

    def new_keys(
        self, spec: TableSpec, keys: Sequence[str], batch: Batch
    ) -> Iterator[tuple[str, ...]]:
        columns = self._data(spec)
        key_types = {key: columns[key] for key in keys}
        new = f"{self._target} as b"
        if self._target == ROWS:
            same = types.same_key("b", "l", key_types)
            landing = identifier(*spec.landing)
            new += f" where not exists (select 1 from {landing} as l where {same})"
        self._number_keys(NEW, key_types, new)
        return self._fetch(NEW, key_types)

    def compare_keys(
        self,
        spec: TableSpec,
        keys: Mapping[str, str],
        stream: Stream,
        batch: Batch,
        within: Sequence[Interval] | None,
    ) -> tuple[int, Iterator[tuple[str, ...]], Iterator[tuple[str, ...]]]:
        self._create(KEYS, keys, is_temporary=True)
        self._loader.load(KEYS, keys, {}, stream({}))
        self._check_keys(spec, KEYS, list(keys))
        target = self._rows_of(spec, keys)
        data = list(self._data(spec))
        everything = listed([*data, *METADATA])
        # All that landing will hold; a first batch is all of it already.
        landing = target
        if self._exists(spec):
            landing = (
                f"(select {everything} from {identifier(*spec.landing)} "
                f"union all select {everything} from {target})"
            )
        if within is not None:
            condition = key_digests.condition(identifier(next(iter(keys))), within)
            landing = f"(select {everything} from {landing} as l where {condition})"
        same = types.same_key("k", "l", keys)
        at_source = f"exists (select 1 from {KEYS} as k where {same})"
        # The newest row of each key that is gone, unless it says so already.
        deleted = self._insert(
            f"insert into {target} ({everything}) "
            f"select {listed(data)}, {_flagged(batch)} "
            f"from {_newest(landing, keys, f'where not {at_source}')} "
            f"where _nth = 1 and {DELETED_AT} is null"
        )
        # Keys whose newest row is flagged although the source has them, and keys that never
        # landed: rows that were committed later than the lookback reaches back.
        self._number_keys(
            RETURNED,
            keys,
            f"{_newest(landing, keys, f'where {at_source}')} "
            f"where _nth = 1 and {DELETED_AT} is not null",
        )
        self._number_keys(
            LATE,
            keys,
            f"{KEYS} as k where not exists (select 1 from {landing} as l where {same})",
        )
        return deleted, self._fetch(RETURNED, keys), self._fetch(LATE, keys)

    def commit(self, batch: Batch, result: BatchResult, window: Window) -> None:
        spec, target = result.spec, self._target
        landing = identifier(*spec.landing)

        def show() -> None:
            if target == ROWS:
                names = listed([*self.landing_columns(spec), *METADATA])
                self._session.execute(f"insert into {landing} ({names}) select {names} from {ROWS}")
            elif target:
                grants = [
                    _grant(landing, *grant) for grant in self._session.query(_GRANTS, landing)
                ]
                self._session.execute(
                    f"if object_id({literal(landing)}) is not null drop table {landing}"
                )
                name = literal(spec.landing[1])
                self._session.execute(f"exec sp_rename {literal(target)}, {name}, 'OBJECT'")
                for grant in grants:
                    self._session.execute(grant)
            with self._session.cursor() as cursor:
                ledger.loaded(cursor, batch, result, window)

        self._when_unread(spec, show)
        self._target = None

    def fail(self, batch: Batch, error: str) -> None:
        # The failure itself is what the caller reports. If the warehouse is gone too, the next run
        # finds the batch running without its lock and says that it was abandoned.
        with suppress(ExtractError):
            try:
                self._session.execute(LET_GO)
                if self._spec:
                    self._drop_draft(self._spec)
            except ExtractError:
                # The lock went with the old session: the draft may be another run's by now.
                self._session, self._lock = Session(self._connect(), WHERE), None
            with self._session.cursor() as cursor:
                ledger.failed(cursor, batch, error)

    def close(self) -> None:
        # A pool of connections may keep the session for a while, and what belongs to it.
        with suppress(ExtractError):
            self._session.execute("if @@trancount > 0 rollback transaction")
            self._session.execute(f"drop table if exists {', '.join(TEMPORARY)}")
            self._release()
        self._session.close()

    def _check_texts(self) -> None:
        ((is_whole, minds_case, collation),) = self._session.query(_TEXTS)
        if not is_whole or not minds_case:
            why = "take texts for equal that differ" if is_whole else "lose characters of texts"
            raise ExtractError(
                f"{WHERE}: its collation, {collation}, would {why}. Create the database with "
                "`collate Latin1_General_100_BIN2_UTF8`."
            )

    def _when_unread(self, spec: TableSpec, change: Callable[[], object]) -> None:
        """Makes a change in one transaction, without making later readers wait for long."""
        deadline = time.monotonic() + READERS_TIMEOUT
        while True:
            try:
                self._session.execute(f"set lock_timeout {READERS_TRY_MS}; begin transaction")
                change()
                self._session.execute(f"commit transaction; {WAIT}")
                return
            except HeldUpError:
                if time.monotonic() > deadline:
                    raise ExtractError(
                        f"{spec.name}: {identifier(*spec.landing)} has been in use for "
                        f"{READERS_TIMEOUT:g} s, so it could not be changed. Landing is unchanged. "
                        "Who holds it: select distinct request_session_id from sys.dm_tran_locks "
                        "where resource_database_id = db_id() and resource_associated_entity_id in "
                        f"(object_id({literal(identifier(*spec.landing))}), "
                        "object_id('ops.extract_batches'));"
                    ) from None
                self._session.execute(LET_GO)
                time.sleep(random.uniform(0.1, 0.5))  # noqa: S311  # jitter, not cryptography

    def _rows_of(
        self, spec: TableSpec, columns: Mapping[str, str], keys: Mapping[str, str] | None = None
    ) -> str:
        """The table for the rows of this batch: beside landing, or what will become landing."""
        if self._target is None and self._exists(spec):
            names = listed([*self.landing_columns(spec), *METADATA])
            self._session.execute(
                f"select {names} into {ROWS} from {identifier(*spec.landing)} where 1 = 0"
            )
            self._target = ROWS
        if self._target is None:
            draft = self._make_draft(spec, columns)
            self._session.execute(f"create clustered index by_batch on {draft} ({BATCH_ID})")
            if keys and not any(types.is_text(type_) for type_ in keys.values()):
                self._session.execute(
                    f"create index {KEY_INDEX} on {draft} ({listed(keys)}, {BATCH_ID})"
                )
        return str(self._target)

    def _make_draft(self, spec: TableSpec, columns: Mapping[str, str]) -> str:
        draft = _draft(spec)
        self._create(draft, {**columns, **METADATA_TYPES})
        self._target = draft
        return draft

    def _drop_draft(self, spec: TableSpec) -> None:
        draft = _draft(spec)
        self._session.execute(f"if object_id({literal(draft)}) is not null drop table {draft}")

    def _create(
        self, table: str, columns: Mapping[str, str], *, is_temporary: bool = False
    ) -> None:
        definitions = ", ".join(
            definition(name, type_, is_temporary=is_temporary) for name, type_ in columns.items()
        )
        self._session.execute(f"create table {table} ({definitions})")

    def _load(self, table: str, columns: Mapping[str, str], stream: Stream, batch: Batch) -> int:
        constants = {LOADED_AT: _moment(batch), BATCH_ID: str(batch.id)}
        return self._loader.load(table, columns, constants, stream({}))

    def _data(self, spec: TableSpec) -> Mapping[str, str]:
        """Landing's columns without metadata; those of a first batch are in its draft."""
        if self._target == ROWS:
            return self.landing_columns(spec)
        found = self._session.query(_COLUMNS, str(self._target))
        return {
            name: types.described(*described) for name, *described in found if name not in METADATA
        }

    def _exists(self, spec: TableSpec) -> bool:
        return self._session.scalar("select object_id(?)", identifier(*spec.landing)) is not None

    def _is_same(self, spec: TableSpec, draft: str, columns: Mapping[str, str]) -> bool:
        """Whether the draft holds the rows that landing holds: their number and their hashes."""
        if self.landing_columns(spec) != dict(columns):
            return False
        drafted, landed = (
            tuple(
                self._session.query(
                    f"select count_big(*), "
                    f"sum(convert(decimal(38, 0), {types.row_hash('t', columns)})) "
                    f"from {table} as t where {DELETED_AT} is null"
                )[0]
            )
            for table in (draft, identifier(*spec.landing))
        )
        return drafted == landed

    def _check_keys(self, spec: TableSpec, table: str, keys: Sequence[str]) -> None:
        """A key that is null equals nothing, itself included: its row would seem to be gone."""
        nulls = " or ".join(f"{identifier(key)} is null" for key in keys)
        if nulls and self._session.query(f"select top 1 1 from {table} where {nulls}"):
            raise NullKeyError(spec.name, keys)

    def _keep_deleted(
        self,
        spec: TableSpec,
        draft: str,
        columns: Mapping[str, str],
        keys: Sequence[str],
        batch: Batch,
    ) -> int:
        if not keys:
            return 0
        key_types = {key: columns[key] for key in keys}
        same = types.same_key("n", "l", key_types)
        kept = listed(name for name in self.landing_columns(spec) if name in columns)
        gone = f"where not exists (select 1 from {draft} as n where {same})"
        # One row per key: the table may be the log of a former mode cursor.
        newest = _newest(identifier(*spec.landing), key_types, gone)
        moment = _moment(batch)
        self._session.execute(
            f"insert into {draft} ({kept}, {listed(METADATA)}) "
            f"select {kept}, {moment}, {batch.id}, coalesce({DELETED_AT}, {moment}) "
            f"from {newest} where _nth = 1"
        )
        return self._count(f"{draft} where {DELETED_AT} = {moment}")

    def _number_keys(self, table: str, keys: Mapping[str, str], rows: str) -> None:
        """Puts keys, as text and numbered, into a table of their own."""
        texts = ", ".join(
            f"{types.as_text(identifier(name), type_)} as {identifier(name)}"
            for name, type_ in keys.items()
        )
        self._session.execute(
            f"select row_number() over (order by (select null)) as _n, {texts} "
            f"into {table} from {rows}"
        )

    def _fetch(self, table: str, keys: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
        """The keys in a table that may be large, a few at a time."""
        fetched = 0
        while True:
            rows = self._session.query(
                f"select {listed(keys)} from {table} where _n > ? and _n <= ?",
                fetched,
                fetched + FETCHED_ROWS,
            )
            if not rows:
                return
            fetched += FETCHED_ROWS
            yield from (tuple(row) for row in rows)

    def _count(self, rows: str) -> int:
        return int(self._session.scalar(f"select count_big(*) from {rows}"))

    def _insert(self, statement: str) -> int:
        return int(self._session.scalar(f"set nocount on; {statement}; select @@rowcount"))


def _draft(spec: TableSpec) -> str:
    """What may become the landing table; one for each table, so that the next run finds it."""
    schema, table = spec.landing
    name = f"_draft_of_{table}"
    if len(name) > MAX_CHARACTERS:
        name = f"_draft_of_{hashlib.sha256(table.encode()).hexdigest()}"
    return identifier(schema, name)


def _newest(table: str, keys: Mapping[str, str], where: str) -> str:
    """The rows `l` of a table, of which the newest of each key has `_nth` 1."""
    key = ", ".join(types.key_values("l", keys))
    return (
        f"(select l.*, row_number() over (partition by {key} order by {BATCH_ID} desc) as _nth "
        f"from {table} as l {where}) as l"
    )


def _moment(batch: Batch) -> str:
    return f"convert({MOMENT}, {literal(batch.loaded_at.isoformat())}, 126)"


def _flagged(batch: Batch) -> str:
    """The metadata of a row that says that its key is gone."""
    return f"{_moment(batch)}, {batch.id}, {_moment(batch)}"


def _grant(table: str, state: str, permission: str, column: str | None, principal: str) -> str:
    verb = "deny" if state == "DENY" else "grant"
    what = f"{permission} ({identifier(column)})" if column else permission
    option = " with grant option" if state == "GRANT_WITH_GRANT_OPTION" else ""
    return f"{verb} {what} on {table} to {identifier(principal)}{option}"
