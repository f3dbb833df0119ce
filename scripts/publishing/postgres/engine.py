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
from publishing.names import NOT_LIVE, is_live
from publishing.postgres import carry, refusals

Place = tuple[str, str]  # schema and name

# What another session must hold for us to wait; NOWAIT where the engine has it.
_NO_WAIT = "1ms"
_STALE, _CHANGED = "MD001", "MD002"
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
    stamp: str  # which state of it this is
    is_temporary: bool
    can_be_made: bool  # by this role

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class Postgres:
    """The statements of a publish, on one connection that commits each of them."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401
        self.connection = connection
        # Definitions name schemas in full then: what they mean doesn't depend on who reads them,
        # nor on what a publish adds.
        self.execute("set search_path = pg_catalog")

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

    def bytes(self, schemas: Iterable[str]) -> dict[str, int]:
        """What the tables in each of these schemas take on disk, with their indexes."""
        rows = self.query(
            "select n.nspname, sum(pg_total_relation_size(c.oid)) from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = any(%s) and c.relkind = 'r' group by 1",
            list(schemas),
        )
        return {schema: int(size) for schema, size in rows}

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
                    f"create table {copy} (like {source} including all excluding indexes "
                    "excluding statistics)"  # which would get other names
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

        To them the new tables would be empty: they must end first. Our own loads read no gold, and
        autovacuum, a session of nobody, reads no rows for anyone.
        """
        return [
            _blocker(*row)
            for row in self.query(
                f"select {_WHO} from pg_stat_activity a where a.datname = current_database() "
                "and a.pid <> pg_backend_pid() and a.backend_xmin is not null "
                "and a.usesysid is not null "
                "and a.application_name not like 'medallion extract%%' "
                # Of other roles' sessions only members of pg_read_all_stats see the beginning.
                "and coalesce(a.xact_start < %s, true)",
                built_at,
            )
        ]

    def blockers(self, places: Iterable[Place]) -> list[str]:
        """Sessions that hold a lock on one of these relations."""
        names = [identifier(*place) for place in places]
        return [
            _blocker(*row)
            for row in self.query(
                f"select distinct {_WHO} from {_HOLDERS}",
                names,
            )
        ]

    def cancel(self, places: Iterable[Place]) -> None:
        """Ends the transactions that hold a lock on one of these relations."""
        self.query(
            "select pg_terminate_backend(pid) from "
            f"(select distinct a.pid from {_HOLDERS}) as holders",
            [identifier(*place) for place in places],
        )

    def _cancel_autovacuum(self, moves: Iterable[Move]) -> None:
        """As Postgres does for whoever waits for a lock; we never wait long enough for that."""
        with suppress(psycopg2.errors.InsufficientPrivilege):
            self.query(
                "select pg_cancel_backend(pid) from (select distinct a.pid "
                f"from {_HOLDERS} and a.backend_type = 'autovacuum worker' "
                "and a.query not like '%%to prevent wraparound%%') as workers",
                [identifier(move.schema, move.name) for move in moves],
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
        for schema, name, *about, on, relation, column, type_ in self.query(
            "select n.nspname, v.relname, pg_get_userbyid(v.relowner), pg_get_viewdef(v.oid), "
            f"coalesce(v.reloptions, '{{}}'), {_STAMP}, v.relpersistence = 't', "
            "pg_has_role(v.relowner, 'usage') and has_schema_privilege(n.oid, 'create'), "
            "tn.nspname, t.relname, a.attname, format_type(a.atttypid, a.atttypmod) "
            f"from {_READING} join pg_class t on t.oid = d.refobjid "
            "join pg_namespace tn on tn.oid = t.relnamespace "
            "left join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid "
            "and d.refobjsubid > 0 "
            "where v.oid <> t.oid and tn.nspname = any(%s)",
            sorted({schema for schema, _ in moving}),
        ):
            if (schema, name) in moving or (on, relation) not in moving or not is_live(schema):
                continue
            view = found.setdefault((schema, name), {"about": about, "reads": set()})
            if column is not None:
                view["reads"].add((on, relation, column, type_))
        views = []
        for place, view in sorted(found.items()):
            owner, definition, options, *rest = view["about"]
            reads = tuple(view["reads"])
            views.append(OutsideView(*place, owner, definition, tuple(options), reads, *rest))
        return views

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
        schemas = sorted({move.to for move in moves})
        rest = list(moves)
        # LOCK would go on to what a view reads; to say again who owns it does not.
        locks = [
            f"alter view if exists {identifier(view.schema, view.name)} "
            f"owner to {identifier(view.owner)};"
            for view in views
        ]
        while rest and rest[0].kind == "view":
            locks.append(_moved(rest.pop(0)))
        tables = _at_their_place(rest)
        if patience:
            locks += [f"lock table {one} in access exclusive mode;" for one in tables]
            locks = [_LOCK_IN_TIME.format(", ".join(map(literal, locks)), patience)]
        elif tables:
            locks.append(f"lock table {', '.join(tables)} in access exclusive mode nowait;")
        steps = [
            f"perform set_config('lock_timeout', {literal(_NO_WAIT)}, true);",
            # What was said to be live is so after a crash, too.
            "perform set_config('synchronous_commit', 'on', true) "
            "where current_setting('synchronous_commit') in ('off', 'local');",
            _guard(target_schema, live),
            *(f"create schema if not exists {identifier(schema)};" for schema in schemas),
            *locks,
            self._unchanged(moves, views),
            *map(_moved, rest),
            _MOVE_STATISTICS.format(
                literal(sorted({move.name for move in rest})),
                literal(sorted({place for move in rest for place in (move.schema, move.to)})),
                literal(NOT_LIVE),
            ),
        ]
        if made:
            steps.append(_MAKE_VIEWS.format(", ".join(map(literal, made))))
        steps += map(_recreated, views)
        steps += [f"{statement};" for statement in ledger]
        block = "\n".join(steps)
        tag = f"$publish_{uuid.uuid4().hex}$"
        try:
            self.execute(f"do {tag} begin\n{block}\nend {tag}")
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected) as error:
            self._cancel_autovacuum(moves)
            raise BusyError(str(error).strip()) from None
        except psycopg2.Error as error:
            if error.pgcode == _STALE:
                raise StaleError(str(error.diag.message_primary)) from None
            if error.pgcode == _CHANGED:
                raise BusyError(str(error.diag.message_primary)) from None
            raise

    def _unchanged(self, moves: Iterable[Move], views: Sequence[OutsideView]) -> str:
        """Once all is locked, nobody makes, changes or drops a view that reads it any more: the
        views must be those that were looked at before.
        """
        rows = self.query(
            "select to_regclass(one)::oid::bigint from unnest(%s::text[]) one",
            [identifier(move.schema, move.name) for move in moves],
        )
        oids = ", ".join(str(oid) for (oid,) in rows if oid is not None) or "0"
        return (
            f"if (select array_agg(distinct {_STAMP} order by {_STAMP}) from {_READING} "
            f"where d.refobjid in ({oids}) and v.oid not in ({oids}) "
            f"and n.nspname !~ {literal(NOT_LIVE)}) is distinct from (select array_agg(one "
            f"order by one) from unnest({literal([view.stamp for view in views])}::text[]) one) "
            "then raise exception 'a view outside has changed meanwhile' "
            f"using errcode = '{_CHANGED}'; end if;"
        )

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
    "a.pid, a.usename, a.application_name, a.backend_type, a.state, "
    "to_char(a.xact_start at time zone 'UTC', 'HH24:MI:SS')"
)


# Who holds a lock on one of these relations; ids of relations come again in other databases.
_HOLDERS = (
    "pg_locks l join pg_stat_activity a on a.pid = l.pid "
    "where l.granted and l.pid <> pg_backend_pid() and l.locktype = 'relation' and l.database = "
    "(select oid from pg_database where datname = current_database()) "
    "and l.relation in (select to_regclass(one) from unnest(%s::text[]) one)"
)

# Views `v` that read a relation `d.refobjid`, and the state that one is in.
_READING = (
    "pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass "
    "and d.refclassid = 'pg_class'::regclass and r.rulename = '_RETURN' "
    "join pg_class v on v.oid = r.ev_class and v.relkind = 'v' "
    "join pg_namespace n on n.oid = v.relnamespace"
)
_STAMP = "concat_ws(' ', v.oid, v.xmin, r.xmin)"

# All of it within so many milliseconds: who waits for the first lock waits for all of them.
_LOCK_IN_TIME = """declare
    one text;
    latest timestamptz := clock_timestamp() + {1} * interval '1 ms';
begin
    foreach one in array array[{0}]::text[] loop
        perform set_config('lock_timeout', greatest(1, ceil(
            1000 * extract(epoch from latest - clock_timestamp())
        ))::int || 'ms', true);
        execute one;
    end loop;
end;"""

# A table goes without its extended statistics, which have names of their own in its schema. What
# leaves live goes first: what comes may have the same name.
_MOVE_STATISTICS = """declare
    one text;
begin
    for one in
        select format('alter statistics %I.%I set schema %I', sn.nspname, s.stxname, n.nspname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_statistic_ext s on s.stxrelid = c.oid
        join pg_namespace sn on sn.oid = s.stxnamespace
        where c.relname = any({0}::text[]) and n.nspname = any({1}::text[])
        and sn.nspname = any({1}::text[]) and sn.oid <> n.oid
        order by sn.nspname ~ {2}, s.oid
    loop
        execute one;
    end loop;
end;"""

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


def _blocker(
    pid: int, user: str | None, application: str, kind: str | None, state: str | None, since: str
) -> str:
    # Not its query, which may hold data.
    who = f"process {pid}: {user or kind or 'of the server'} ({application or 'no name'})"
    if since is None:
        return f"{who}, begun nobody knows when: this role needs pg_read_all_stats"
    return f"{who}, {state} since {since} UTC"


def _guard(target_schema: str, live: int) -> str:
    # The row itself is locked: of two publishers one is refused. Before the first publish all of
    # them are, since there is no row of a live one.
    rows = f"from ops.generations where target_schema = {literal(target_schema)}"
    if live:
        locked = f"perform 1 {rows} and generation = {live} and status = 'live' for update nowait;"
        check = "if not found"
    else:
        locked = f"perform 1 {rows} for update nowait;"
        check = f"if exists (select 1 {rows} and status = 'live')"
    said = f"generation {live} is not live any more" if live else "a generation is live by now"
    return f"{locked}\n{check} then raise exception '{said}' using errcode = '{_STALE}'; end if;"


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
