"""Publishing on SQL Server: what is asked of the catalogue, and when what is sent.

A view finds what it reads by name whenever it is read, and so does all that stays where it is. What
moves are objects: tables with all that hangs on them, views with their text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import pyodbc

from common.sqlserver import explain, identifier, literal
from common.warehouse import WarehouseError
from publishing.errors import BusyError, PublishError, StaleError
from publishing.moves import Move
from publishing.names import is_live, next_of
from publishing.sqlserver import batch, carry, copying, outside, refusals, sessions, views
from publishing.sqlserver.outside import OutsideView

Place = tuple[str, str]  # schema and name

_MOVABLE = {"U": "table", "V": "view", "SN": "synonym"}
# A lock that isn't free in time, or that two wait for in a circle.
_HELD_UP = (1222, 1205)
# A session has ended by itself.
_ENDED = (6106, 6107)

_BYTES = """
select s.name, sum(a.total_pages) * 8192
from sys.tables as t
inner join sys.schemas as s on s.schema_id = t.schema_id
inner join sys.partitions as p on p.object_id = t.object_id
inner join sys.allocation_units as a
    on a.container_id = case a.type when 2 then p.partition_id else p.hobt_id end
where s.name in ({})
group by s.name
"""
_TYPES = """
select schema_name(o.schema_id), o.name, c.name, t.name, schema_name(t.schema_id),
    t.is_user_defined, c.max_length, c.[precision], c.scale
from (values {}) as places (name)
inner join sys.objects as o on o.object_id = object_id(places.name)
inner join sys.columns as c on c.object_id = o.object_id
inner join sys.types as t on t.user_type_id = c.user_type_id
order by o.object_id, c.column_id
"""
# A statement takes 2100 parameters.
_AT_ONCE = 1000


class SqlServer:
    """The statements of a publish, on one connection that commits each of them."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401
        self.connection = connection

    def literal(self, value: object) -> str:
        return literal(value)

    # --- what is there

    def columns(self, schemas: Iterable[str]) -> dict[Place, list[str]]:
        """The columns of every table and view in these schemas."""
        found: dict[Place, list[str]] = {}
        for schema, name, column in self._in(
            schemas,
            "select s.name, o.name, c.name from sys.objects as o "
            "inner join sys.schemas as s on s.schema_id = o.schema_id "
            "inner join sys.columns as c on c.object_id = o.object_id "
            "where o.type in ('U', 'V') and s.name in ({}) order by o.object_id, c.column_id",
        ):
            found.setdefault((schema, name), []).append(column)
        return found

    def types(self, places: Iterable[Place]) -> dict[Place, dict[str, str]]:
        """The columns of relations, with their types; of those that are there."""
        found: dict[Place, dict[str, str]] = {}
        for schema, name, column, *type_ in self._of(places, _TYPES):
            found.setdefault((schema, name), {})[column] = copying.typed(*type_)
        return found

    def kinds(self, schemas: Iterable[str]) -> dict[Place, str]:
        """Table or view, of every relation in these schemas; else what the server calls it."""
        return {
            (schema, name): "external table" if is_external else _MOVABLE[type_]
            for schema, name, type_, is_external in self._in(
                schemas,
                "select s.name, o.name, rtrim(o.type), coalesce(t.is_external, 0) "
                "from sys.objects as o inner join sys.schemas as s on s.schema_id = o.schema_id "
                "left join sys.tables as t on t.object_id = o.object_id "
                "where o.type in ('U', 'V', 'SN') and s.name in ({})",
            )
        }

    def has_rows(self, place: Place) -> bool:
        """Whether there is a row in a relation."""
        ((found,),) = self.query(
            f"select case when exists (select 1 from {identifier(*place)}) then 1 else 0 end"
        )
        return bool(found)

    def bytes(self, schemas: Iterable[str]) -> dict[str, int]:
        """What the tables in each of these schemas take on disk, with their indexes."""
        return {schema: int(size) for schema, size in self._in(schemas, _BYTES)}

    def schemas_like(self, schema: str) -> list[str]:
        """The schemas of a layer's generations, and its next one."""
        begins = schema + "__"
        found = self.query(
            f"select name from sys.schemas where left(name, {len(begins)}) = ? order by name",
            begins,
        )
        return [name for (name,) in found if not is_live(name)]

    # --- what is made and dropped

    def make_schema(self, schema: str) -> None:
        """Makes a schema that belongs to whom the live one belongs.

        A view may read what its reader may not, as long as one owner has both.
        """
        self.execute(self._schema(schema))

    def drop_schemas(self, schemas: Sequence[str]) -> None:
        """Drops schemas with all that is in them, and nothing else.

        Raises PublishError if something elsewhere depends on what is there.
        """
        there = [
            name for (name,) in self._in(schemas, "select name from sys.schemas where name in ({})")
        ]
        if not there:
            return
        self._check_unread(there)
        kinds = self.kinds(there)
        statements = [
            f"alter table {identifier(schema, table)} drop constraint {identifier(name)}"
            for schema, table, name in self._in(
                there,
                "select s.name, t.name, k.name from sys.foreign_keys as k "
                "inner join sys.tables as t on t.object_id = k.parent_object_id "
                "inner join sys.schemas as s on s.schema_id = t.schema_id where s.name in ({})",
            )
        ]
        for kind in ("view", "table"):
            statements += [
                f"drop {kind} {identifier(*place)}" for place, is_ in kinds.items() if is_ == kind
            ]
        statements += [f"drop schema {identifier(schema)}" for schema in there]
        try:
            self.execute(
                "; ".join(
                    ["set xact_abort on", "begin transaction", *statements, "commit transaction"]
                )
            )
        except pyodbc.Error as error:
            # Another object, a foreign key or a schemabound view needs it.
            if explain(error).number in (3726, 3729):
                raise PublishError(
                    f"{', '.join(there)} can't be dropped, because something else needs it: "
                    f"{explain(error)}"
                ) from None
            raise
        finally:
            self._settle()

    def copy(self, live: Place, next_: Place) -> int:
        """Copies a table with all that hangs on it; returns the number of rows."""
        source, copy = identifier(*live), identifier(*next_)
        before, columns, then = copying.table(self.query, live, next_)
        self.execute(f"drop table if exists {copy}")
        for statement in before:
            self.execute(statement)
        listed = ", ".join(map(identifier, columns))
        insert = (
            # The lock lets the server log pages and not rows, and fill a columnstore in parallel.
            f"insert into {copy} with (tablock) ({listed}) select {listed} from {source}"
        )
        if copying.has_identity(self.query, live):
            # The setting is the session's, and one table's at a time.
            insert = (
                f"set nocount on; set identity_insert {copy} on; {insert}; "
                f"declare @rows bigint = rowcount_big(); set identity_insert {copy} off; "
                "select @rows"
            )
        else:
            insert = f"set nocount on; {insert}; select rowcount_big()"
        ((rows,),) = self.query(insert)
        for statement in then:
            self.execute(statement)
        return int(rows)

    # --- one at a time

    def try_lock(self, name: str) -> bool:
        """Takes a lock that ends with this session; whether nobody else has it."""
        ((got,),) = self.query(
            "set nocount on; declare @got int; exec @got = sp_getapplock @Resource = ?, "
            "@LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = 0; select @got",
            name,
        )
        return int(got) >= 0

    def unlock(self, name: str) -> None:
        self.execute(f"exec sp_releaseapplock @Resource = {literal(name)}, @LockOwner = 'Session'")

    def lock_holder(self, name: str) -> str:
        """Who has a lock, in words."""
        return sessions.lock_holder(self.query, name)

    # --- who is in the way

    def old_readers(self, built_at: Any) -> list[str]:  # noqa: ANN401
        """Transactions under snapshot isolation that are older than a build.

        What they would read of its tables is an error. Who they are, only a login with VIEW SERVER
        STATE is told; others publish without waiting for them.
        """
        return sessions.snapshots_before(self.query, built_at)

    def blockers(self, places: Iterable[Place]) -> list[str]:
        """Sessions that hold a lock on one of these relations."""
        return sessions.holders(self.query, places)

    def cancel(self, places: Iterable[Place]) -> None:
        """Ends the sessions that hold a lock on one of these relations.

        Raises PublishError if the login may not.
        """
        numbers = sessions.numbers(self.query, places)
        try:
            if numbers is None:
                raise PublishError("it may not see who they are")
            for number in numbers:
                self._kill(number)
        except PublishError as error:
            raise PublishError(
                "Not published: this login can't end the sessions that are in the way, because "
                f"{error}. Grant it VIEW SERVER STATE and ALTER ANY CONNECTION, or publish without "
                "--cancel-blockers."
            ) from None

    # --- what must follow, and what can't

    def carry(self, live: Place | None, next_: Place, live_schema: str, by_dbt: bool) -> None:
        """Gives a relation in next what its live one has; `by_dbt` if dbt made its grants.

        A new one needs nothing: the rights on its schema are the schema's.
        Raises PublishError, naming it, if something can't be given.
        """
        if live is None:
            return
        for statement in carry.statements(self.query, live, next_, grants_by_dbt=by_dbt):
            try:
                self.execute(statement)
            except pyodbc.Error as error:
                raise PublishError(
                    f"{'.'.join(next_)}: `{statement}` failed: {explain(error)}."
                ) from None

    def definitions(self, places: Iterable[Place]) -> dict[Place, str]:
        """The statements that make a live view again, with its owner, rights and comments."""
        found = {}
        for place in places:
            name = identifier(*place)
            made = batch.executed(self._view(place).at(*place))
            rest = [
                *carry.properties(self.query, name, place, "VIEW"),
                *carry.owner(self.query, name, name),
                *carry.rights(self.query, name, name),
            ]
            found[place] = "\n".join([made, *(f"{one};" for one in rest)])
        return found

    def refusals(self, places: Sequence[Place]) -> list[str]:
        """What hangs on live relations and can't follow, in words."""
        kinds = self.kinds({schema for schema, _ in places})
        ids = [
            number
            for (number,) in self._of(
                places,
                "select o.object_id from (values {}) as places (name) "
                "inner join sys.objects as o on o.object_id = object_id(places.name)",
            )
        ]
        return [*refusals.wrong_kinds(kinds, places), *refusals.hanging(self.query, ids)]

    def outside_views(self, places: Iterable[Place]) -> list[OutsideView]:
        """Views that stay where they are and read one of these relations, or a view that does.

        Views of other generations and of next are not among them.
        """
        return outside.find(self.query, places, self._fold)

    def unreadable(
        self, views: Iterable[OutsideView], columns: dict[Place, dict[str, str]]
    ) -> list[str]:
        """What these views read that is not there any more, in words."""
        views = list(views)
        now = self.types({place for view in views for place in view.reads})
        return outside.unreadable(views, now, columns)

    # --- the move

    def move(
        self,
        moves: Sequence[Move],
        views: Sequence[OutsideView],
        ledger: Sequence[str],
        *,
        made: Sequence[str],
        target_schema: str,
        live: int,
        patience: int | None,
    ) -> None:
        """All of it in one batch of the server's, so that locks are held for no round trip.

        The generation `live` must still be live; `ledger` are the statements that say what is live
        then. `patience` is how many milliseconds a lock is waited for, None for none at all.
        Raises BusyError, StaleError, PublishError, and WarehouseError if the server says no.
        """
        try:
            self.execute(
                batch.batch(
                    moves,
                    [self._schema(schema) for schema in sorted({move.to for move in moves})],
                    self._views_after(moves, views, made),
                    ledger,
                    target_schema=target_schema,
                    live=live,
                    patience=patience,
                )
            )
        except pyodbc.Error as error:
            said = explain(error)
            if said.number in _HELD_UP:
                raise BusyError(str(said)) from None
            if said.number == batch.STALE:
                raise StaleError(str(said)) from None
            raise WarehouseError(str(said)) from None
        finally:
            self._settle()

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            while cursor.description is None and cursor.nextset():
                pass  # a message, such as that of a lock which somebody else has
            return [tuple(row) for row in cursor.fetchall()]

    def execute(self, statement: str) -> None:
        """Raises what any of the statement's parts raises, the last one too."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            while cursor.nextset():
                pass

    # --- the small ones

    @cached_property
    def _fold(self) -> views.Fold:
        ((is_same,),) = self.query("select case when 'a' = 'A' then 1 else 0 end")
        return str.lower if is_same else str

    @cached_property
    def _database(self) -> str:
        return str(self.query("select db_name()")[0][0])

    def _in(self, schemas: Iterable[str], statement: str) -> list[tuple[Any, ...]]:
        names = list(schemas)
        return self.query(statement.format(", ".join("?" * len(names))), *names) if names else []

    def _of(self, places: Iterable[Place], statement: str) -> list[tuple[Any, ...]]:
        names = [identifier(*place) for place in places]
        found = []
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            found += self.query(statement.format(", ".join(["(?)"] * len(some))), *some)
        return found

    def _check_unread(self, schemas: Sequence[str]) -> None:
        dropped = {self._fold(schema) for schema in schemas}
        readers = sorted(
            f"{schema}.{name}"
            for schema, name, on, _ in outside.readers(self.query)
            if self._fold(on) in dropped and self._fold(schema) not in dropped
        )
        if readers:
            raise PublishError(
                f"{', '.join(schemas)} can't be dropped, because something else reads it: "
                f"{readers[0]}"
            )

    def _schema(self, schema: str) -> str:
        """What makes a schema, if it is missing, for the owner of the live one."""
        owners = self.query(
            "select p.name from sys.schemas as s "
            "inner join sys.database_principals as p on p.principal_id = s.principal_id "
            "where s.name = ?",
            schema if is_live(schema) else schema.rpartition("__")[0],
        )
        to = f" authorization {identifier(owners[0][0])}" if owners else ""
        made = batch.executed(f"create schema {identifier(schema)}{to}")
        return f"if schema_id({literal(schema)}) is null {made}"

    def _view(self, place: Place) -> views.View:
        return views.parse(self._text(place))

    def _text(self, place: Place) -> str:
        rows = self.query(
            "select [definition] from sys.sql_modules where object_id = object_id(?)",
            identifier(*place),
        )
        if not rows or not rows[0][0]:
            raise PublishError(
                f"{'.'.join(place)}: its text can't be read. If it isn't encrypted, grant the "
                "login VIEW DEFINITION."
            )
        return str(rows[0][0])

    def _views_after(
        self, moves: Sequence[Move], staying: Sequence[OutsideView], made: Sequence[str]
    ) -> list[str]:
        """What makes every view read what is live then, each after those that it reads itself."""
        fold, database = self._fold, self._database
        schemas = self.query("select name from sys.schemas")
        not_live = {fold(name) for (name,) in schemas if not is_live(name)}
        to_live = {
            (move.schema, move.name): move.to for move in moves if move.schema == next_of(move.to)
        }
        statements: dict[Place, str] = {}
        reads: dict[Place, set[Place]] = {}
        kinds: dict[Place, str] = {}
        for move in moves:  # of what is there before the first of them
            kinds.setdefault((move.schema, move.name), move.kind)
        for place, to in batch.destinations(moves).items():
            if kinds[place] != "view" or not is_live(to[0]):
                continue
            text = views.rewritten(self._text(place), to_live, database, fold)
            view = views.parse(text)
            self._check(place, view, text, not_live)
            key = (fold(to[0]), fold(to[1]))
            statements[key] = batch.executed(view.at(*to))
            reads[key] = views.references(text, database, fold)
        for one in staying:
            if one.is_ours and not one.is_broken:
                key = (fold(one.schema), fold(one.name))
                statements[key] = batch.refreshed((one.schema, one.name))
        for schema, name, on, relation in outside.readers(self.query) if staying else ():
            key = (fold(schema), fold(name))
            if key in statements:
                reads.setdefault(key, set()).add((fold(on), fold(relation)))
        for statement in made:
            text = batch.text_of(statement)
            schema, name = views.parse(text).place
            key = (fold(schema), fold(name))
            statements[key] = statement
            reads[key] = views.references(text, database, fold)
        return [statements[one] for one in batch.after(statements, reads)]

    def _check(self, place: Place, view: views.View, text: str, not_live: set[str]) -> None:
        refused = view.options & {"schemabinding", "encryption"}
        if refused:
            raise PublishError(
                f"Not published: {'.'.join(place)} is made with {', '.join(sorted(refused))}, "
                "so its text can't be given the names of live."
            )
        left = sorted(
            ".".join(one)
            for one in views.references(text, self._database, self._fold)
            if one[0] in not_live
        )
        if left:
            raise PublishError(
                f"Not published: {'.'.join(place)} reads {left[0]}, which isn't published."
            )

    def _kill(self, number: int) -> None:
        try:
            self.execute(f"kill {number}")
        except pyodbc.Error as error:
            said = explain(error)
            if said.number not in _ENDED:
                raise PublishError(str(said)) from None

    def _settle(self) -> None:
        """The session as it was before, whatever became of a transaction."""
        with contextlib.suppress(pyodbc.Error):
            self.execute(
                "if @@trancount > 0 rollback transaction; set xact_abort off; "
                "set deadlock_priority normal; set lock_timeout -1"
            )
