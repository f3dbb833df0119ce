"""Publishing on Postgres: what is asked of the catalogue, and the one transaction that moves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg2
import psycopg2.errors

from common.postgres import identifier, literal
from publishing.errors import BusyError, PublishError, StaleError
from publishing.moves import Move
from publishing.names import is_live
from publishing.postgres import carry, refusals

Place = tuple[str, str]  # schema and name

# What another session must hold for us to wait; NOWAIT where the engine has it.
_NO_WAIT = "1ms"
_STALE = "MD001"
_MOVABLE = {"r": "table", "v": "view"}


@dataclass(frozen=True)
class OutsideView:
    """A view that stays where it is and reads what moves."""

    schema: str
    name: str
    owner: str
    definition: str
    options: tuple[str, ...]
    reads: tuple[tuple[str, str, str, str], ...]  # schema, relation, column, type

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class Postgres:
    """The statements of a publish, on one connection that commits each of them."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401
        self.connection = connection

    def literal(self, value: object) -> str:
        return literal(value)

    # --- what is there

    def columns(self, schemas: Iterable[str]) -> dict[Place, list[str]]:
        """The columns of every table and view in these schemas."""
        found: dict[Place, list[str]] = {}
        for schema, name, columns in self.query(
            "select n.nspname, c.relname, array_remove(array_agg(a.attname order by a.attnum), "
            "null) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 "
            "and not a.attisdropped where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v') "
            "group by 1, 2",
            list(schemas),
        ):
            found[schema, name] = list(columns)
        return found

    def kinds(self, schemas: Iterable[str]) -> dict[Place, str]:
        """Table or view, of every relation in these schemas; else Postgres' letter for its kind."""
        return {
            (schema, name): _MOVABLE.get(kind, kind)
            for schema, name, kind in self.query(
                "select n.nspname, c.relname, c.relkind from pg_class c "
                "join pg_namespace n on n.oid = c.relnamespace where n.nspname = any(%s) "
                "and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')",
                list(schemas),
            )
        }

    def has_rows(self, place: Place) -> bool:
        """Whether there is a row in a relation."""
        ((found,),) = self.query(f"select exists (select 1 from {identifier(*place)})")
        return bool(found)

    def bytes(self, schemas: Iterable[str]) -> int:
        """What the tables in these schemas take on disk, with their indexes."""
        ((size,),) = self.query(
            "select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = any(%s) and c.relkind = 'r'",
            list(schemas),
        )
        return int(size)

    def schemas_like(self, schema: str) -> list[str]:
        """The schemas of a layer's generations, and its next one."""
        return [
            name
            for (name,) in self.query(
                "select nspname from pg_namespace where starts_with(nspname, %s) order by 1",
                schema + "__",
            )
            if not is_live(name)
        ]

    # --- what is made and dropped

    def make_schema(self, schema: str) -> None:
        """Makes a schema that only its owner can look into."""
        self.execute(f"create schema if not exists {identifier(schema)}")

    def drop_schemas(self, schemas: Sequence[str]) -> None:
        """Drops schemas with all that is in them, and nothing else.

        Raises PublishError if something elsewhere depends on what is there.
        """
        kinds = self.kinds(schemas)
        statements = []
        for kind in ("view", "table"):
            names = [identifier(*place) for place, is_ in kinds.items() if is_ == kind]
            if names:
                statements.append(f"drop {kind} {', '.join(names)}")
        statements += [f"drop schema if exists {identifier(schema)}" for schema in schemas]
        try:
            self.execute("; ".join(["begin", *statements, "commit"]))
        except psycopg2.errors.DependentObjectsStillExist as error:
            self._rollback()
            raise PublishError(
                f"{', '.join(schemas)} can't be dropped, because something else reads it: "
                f"{(error.diag.message_detail or str(error)).splitlines()[0]}"
            ) from None
        except psycopg2.Error:
            self._rollback()
            raise

    def copy(self, live: Place, next_: Place) -> int:
        """Copies a table with all that hangs on it; returns the number of rows."""
        source, copy = identifier(*live), identifier(*next_)
        self.execute(f"drop table if exists {copy}")
        with self.connection.cursor() as cursor:
            # In one transaction: into a table that it made itself, Postgres writes no log where
            # it keeps none for replicas.
            cursor.execute("begin")
            try:
                cursor.execute(
                    f"create table {copy} (like {source} including all excluding indexes)"
                )
                cursor.execute(
                    "select string_agg(quote_ident(attname), ', ' order by attnum) "
                    "from pg_attribute where attrelid = %s::regclass and attnum > 0 "
                    "and not attisdropped and attgenerated = ''",
                    [source],
                )
                ((columns,),) = cursor.fetchall()
                cursor.execute(f"insert into {copy} ({columns}) select {columns} from {source}")
                rows = cursor.rowcount
                for statement in carry.copied_indexes(self.query, source, copy):
                    cursor.execute(statement)
                cursor.execute("commit")
            except psycopg2.Error:
                self._rollback()
                raise
            cursor.execute(f"analyze {copy}")
        return int(rows)

    # --- one at a time

    def try_lock(self, name: str) -> bool:
        """Takes a lock that ends with this session; whether nobody else has it."""
        ((taken,),) = self.query("select pg_try_advisory_lock(hashtextextended(%s, 0))", name)
        return bool(taken)

    def unlock(self, name: str) -> None:
        self.query("select pg_advisory_unlock(hashtextextended(%s, 0))", name)

    def lock_holder(self, name: str) -> str:
        """Who has a lock, in words."""
        rows = self.query(
            "select a.pid, a.usename, a.application_name, "
            "to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI') "
            "from pg_locks l join pg_stat_activity a on a.pid = l.pid "
            "where l.locktype = 'advisory' and l.granted and l.database = "
            "(select oid from pg_database where datname = current_database()) "
            "and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(%s, 0)",
            name,
        )
        if not rows:
            return "somebody who is gone by now"
        pid, user, application, since = rows[0]
        return f"{user} ({application or 'no name'}, process {pid}) since {since} UTC"

    # --- who is in the way

    def old_readers(self, built_at: Any) -> list[str]:  # noqa: ANN401
        """Transactions that see the database as it was before a build ended.

        To them the new tables would be empty: they must end first. Our own loads read no gold.
        """
        return [
            _blocker(*row)
            for row in self.query(
                f"select {_WHO} from pg_stat_activity a where a.datname = current_database() "
                "and a.pid <> pg_backend_pid() and a.backend_xmin is not null "
                "and a.xact_start < %s and a.application_name not like 'medallion extract%%'",
                built_at,
            )
        ]

    def blockers(self, places: Iterable[Place]) -> list[str]:
        """Sessions that hold a lock on one of these relations."""
        names = [identifier(*place) for place in places]
        return [
            _blocker(*row)
            for row in self.query(
                f"select distinct {_WHO} from pg_locks l join pg_stat_activity a on a.pid = l.pid "
                "where l.granted and l.pid <> pg_backend_pid() and l.locktype = 'relation' "
                "and l.relation in (select to_regclass(one) from unnest(%s::text[]) one)",
                names,
            )
        ]

    def cancel(self, places: Iterable[Place]) -> None:
        """Ends the transactions that hold a lock on one of these relations."""
        self.query(
            "select pg_terminate_backend(pid) from (select distinct l.pid from pg_locks l "
            "where l.granted and l.pid <> pg_backend_pid() and l.locktype = 'relation' "
            "and l.relation in (select to_regclass(one) from unnest(%s::text[]) one)) as holders",
            [identifier(*place) for place in places],
        )

    # --- what must follow, and what can't

    def definitions(self, views: Iterable[Place]) -> dict[Place, str]:
        """The statements that make a view again, with its options, owner, rights and comments."""
        return {
            (schema, name): "; ".join(carry.view(self.query, (schema, name)))
            for schema, name in views
        }

    def types(self, places: Iterable[Place]) -> dict[Place, dict[str, str]]:
        """The columns of relations, with their types; of those that are there."""
        found: dict[Place, dict[str, str]] = {}
        for schema, name, column, type_ in self.query(
            "select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) "
            "from unnest(%s::text[]) one join pg_class c on c.oid = to_regclass(one) "
            "join pg_namespace n on n.oid = c.relnamespace "
            "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped",
            [identifier(*place) for place in places],
        ):
            found.setdefault((schema, name), {})[column] = type_
        return found

    def carry(self, live: Place | None, next_: Place, live_schema: str, by_dbt: bool) -> None:
        """Gives a relation in next what its live one has; `by_dbt` if dbt made its grants.

        Raises PublishError, naming it, if something can't be given.
        """
        for statement in carry.statements(
            self.query, live, next_, live_schema, grants_by_dbt=by_dbt
        ):
            try:
                self.execute(statement)
            except psycopg2.Error as error:
                why = str(error.diag.message_primary or error).strip()
                raise PublishError(f"{'.'.join(next_)}: `{statement}` failed: {why}.") from None

    def refusals(self, places: Sequence[Place]) -> list[str]:
        """What hangs on live relations and can't follow, in words."""
        kinds = self.kinds({schema for schema, _ in places})
        oids = {
            oid: (schema, name)
            for oid, schema, name in self.query(
                "select c.oid::bigint, n.nspname, c.relname from unnest(%s::text[]) one "
                "join pg_class c on c.oid = to_regclass(one) "
                "join pg_namespace n on n.oid = c.relnamespace",
                [identifier(*place) for place in places],
            )
        }
        return [*refusals.wrong_kinds(kinds, places), *refusals.hanging(self.query, oids)]

    def unreadable(
        self, views: Iterable[OutsideView], columns: dict[Place, dict[str, str]]
    ) -> list[str]:
        """What these views read that is not there any more, in words."""
        return refusals.unreadable(views, columns)

    # --- the move

    def outside_views(self, places: Iterable[Place]) -> list[OutsideView]:
        """Views that stay where they are and read one of these relations, columns included.

        Views of other generations and of next are not among them: they keep what they read.
        """
        moving = set(places)
        if not moving:
            return []
        found: dict[Place, dict[str, Any]] = {}
        for schema, name, owner, definition, options, on, relation, column, type_ in self.query(
            "select n.nspname, v.relname, pg_get_userbyid(v.relowner), pg_get_viewdef(v.oid), "
            "coalesce(v.reloptions, '{}'), "
            "tn.nspname, t.relname, a.attname, format_type(a.atttypid, a.atttypmod) "
            "from pg_depend d join pg_rewrite r on r.oid = d.objid "
            "join pg_class v on v.oid = r.ev_class and v.relkind = 'v' "
            "join pg_namespace n on n.oid = v.relnamespace "
            "join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace "
            "left join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid "
            "and d.refobjsubid > 0 "
            "where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass "
            "and v.oid <> t.oid and tn.nspname = any(%s)",
            sorted({schema for schema, _ in moving}),
        ):
            if (schema, name) in moving or (on, relation) not in moving or not is_live(schema):
                continue
            view = found.setdefault(
                (schema, name),
                {"owner": owner, "definition": definition, "options": options, "reads": set()},
            )
            if column is not None:
                view["reads"].add((on, relation, column, type_))
        return [
            OutsideView(
                *(*place, view["owner"], view["definition"]),
                *(tuple(view["options"]), tuple(view["reads"])),
            )
            for place, view in sorted(found.items())
        ]

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
        """All of it in one block of the server's, so that locks are held for no round trip.

        The generation `live` must still be live; `ledger` are the statements that say what is live
        then. `patience` is how many milliseconds a lock is waited for, None for none at all.
        Raises BusyError, StaleError.
        """
        wait = f"{patience}ms" if patience else _NO_WAIT
        steps = [
            f"perform set_config('lock_timeout', {literal(wait)}, true);",
            _guard(target_schema, live),
            *(f"create schema if not exists {identifier(schema)};"
              for schema in sorted({move.to for move in moves})),
            # LOCK would go on to what a view reads; to say again who owns it does not.
            *(f"alter view {identifier(view.schema, view.name)} owner to {identifier(view.owner)};"
              for view in views),
        ]  # fmt: skip
        rest = list(moves)
        while rest and rest[0].kind == "view":
            steps.append(_moved(rest.pop(0)))
        tables = _at_their_place(rest)
        if tables:
            nowait = "" if patience else " nowait"
            steps.append(f"lock table {', '.join(tables)} in access exclusive mode{nowait};")
        steps += map(_moved, rest)
        if made:
            steps.append(_MAKE_VIEWS.format(", ".join(map(literal, made))))
        steps += map(_recreated, views)
        steps += [f"{statement};" for statement in ledger]
        block = "\n".join(steps)
        tag = f"$publish_{uuid.uuid4().hex}$"
        try:
            self.execute(f"do {tag} begin\n{block}\nend {tag}")
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected) as error:
            raise BusyError(str(error).strip()) from None
        except psycopg2.Error as error:
            if error.pgcode == _STALE:
                raise StaleError(str(error.diag.message_primary)) from None
            raise

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def execute(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def _rollback(self) -> None:
        with suppress(psycopg2.Error):
            self.execute("rollback")


_WHO = (
    "a.pid, a.usename, a.application_name, a.state, "
    "to_char(a.xact_start at time zone 'UTC', 'HH24:MI:SS')"
)


# In any order: one that reads another waits for it.
_MAKE_VIEWS = """declare
    todo text[] := array[{}];
    rest text[];
    one text;
begin
    while cardinality(todo) > 0 loop
        rest := array[]::text[];
        foreach one in array todo loop
            begin
                execute one;
            exception when undefined_table then
                rest := rest || one;
            end;
        end loop;
        if cardinality(rest) = cardinality(todo) then
            execute rest[1];
        end if;
        todo := rest;
    end loop;
end;"""


def _blocker(pid: int, user: str, application: str, state: str, since: str) -> str:
    # Not its query, which may hold data.
    return f"process {pid}: {user} ({application or 'no name'}), {state} since {since} UTC"


def _guard(target_schema: str, live: int) -> str:
    # The row itself is locked: of two publishers one is refused.
    schema = literal(target_schema)
    if live:
        condition = f"generation = {live} and status = 'live'"
        absent = ""
    else:
        condition = "status = 'live'"
        absent = "not "
    locked = (
        f"perform 1 from ops.generations where target_schema = {schema} and {condition} "
        "for update nowait;"
    )
    check = f"if {'' if absent else 'not '}found then"
    said = f"generation {live} is not live any more" if live else "a generation is live by now"
    return f"{locked}\n{check} raise exception '{said}' using errcode = '{_STALE}'; end if;"


def _moved(move: Move) -> str:
    return (
        f"alter {move.kind} {identifier(move.schema, move.name)} set schema {identifier(move.to)};"
    )


def _at_their_place(moves: Iterable[Move]) -> list[str]:
    """The tables that are where they move from before the first of these moves."""
    come: set[Place] = set()
    found = []
    for move in moves:
        if move.kind == "table" and (move.schema, move.name) not in come:
            found.append(identifier(move.schema, move.name))
        come.add((move.to, move.name))
    return found


def _recreated(view: OutsideView) -> str:
    options = f" with ({', '.join(view.options)})" if view.options else ""
    return (
        f"create or replace view {identifier(view.schema, view.name)}{options} as "
        f"{view.definition.rstrip().rstrip(';')};"
    )
