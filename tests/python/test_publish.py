"""A publish moves a whole generation or nothing, and can be taken back."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from databases import Database
from publishing import moves
from publishing.errors import BusyError, PublishError, StaleError
from publishing.generations import NOTHING
from publishing.publisher import Patience
from publishing_support import QUICK, SCHEMA, Shelf


@pytest.fixture
def shelf(warehouse: Database) -> Shelf:
    """A warehouse with nothing in gold yet."""
    shelf = Shelf(warehouse)
    shelf.prepare()
    return shelf


def version(number: int) -> str:
    return f"as select {number} as version"


def test_a_build_becomes_live_and_what_was_live_is_kept(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1), "b": version(1), "v": "view as select 1 as version"})
    second = shelf.deploy({"a": version(2), "v": "view as select * from gold__next.a"})
    assert shelf.live() == second == 2
    assert (shelf.value("gold.a"), shelf.value("gold.v")) == (2, 2)
    assert shelf.value("gold.b") == 1, "it did not change, so it did not move"
    assert (shelf.value("gold__g1.a"), shelf.value("gold__g1.v")) == (1, 1)
    assert not shelf.database.has("gold__g1", "b")
    assert not shelf.database.has("gold__next", "a")
    assert shelf.statuses() == {2: "live", 1: "retired"}
    with shelf.engine() as (engine, ledger):
        assert ledger.counts() == {1: 3, 2: 2}
        sizes = engine.bytes(["gold", "gold__g1", "gold__g7"])
    assert sorted(sizes) == ["gold", "gold__g1"]
    assert sizes["gold"] == 2 * sizes["gold__g1"] > 0


def test_who_only_reads_makes_no_tables(warehouse: Database) -> None:
    with Shelf(warehouse).engine() as (_, ledger):
        assert (ledger.all(), ledger.live(), list(ledger.history())) == ([], None, [])
        assert ledger.counts() == {}
    assert not warehouse.has("ops", "generations")


def test_a_removed_relation_leaves_with_the_publish_and_comes_back(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1), "b": version(1)})
    shelf.deploy({"a": version(2)}, removed=("b",))
    assert not shelf.database.has("gold", "b")
    shelf.rollback(1)
    assert (shelf.value("gold.a"), shelf.value("gold.b")) == (1, 1)


def test_what_was_there_before_the_first_publish_is_kept_too(shelf: Shelf) -> None:
    shelf.database.execute("create table gold.a as select 0 as version")
    shelf.deploy({"a": version(1)})
    assert shelf.value("gold__g0.a") == 0
    shelf.rollback(NOTHING)
    assert shelf.value("gold.a") == 0
    assert shelf.live() == NOTHING
    shelf.rollback(1)
    assert (shelf.value("gold.a"), shelf.live()) == (1, 1)


def test_rollbacks_go_back_and_forth_over_many_generations(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1), "b": version(1)})
    shelf.deploy({"a": version(2)})
    shelf.deploy({"b": version(3), "c": version(3)})
    shelf.deploy({"a": version(4), "c": "view as select 4 as version"})
    expected = {1: (1, 1, None), 2: (2, 1, None), 3: (2, 3, 3), 4: (4, 3, 4)}
    for to in (1, 4, 2, 3, 1, 2, 4, 3):
        shelf.rollback(to)
        assert shelf.live() == to
        seen = tuple(
            shelf.value(f"gold.{name}") if shelf.database.has("gold", name) else None
            for name in "abc"
        )
        assert seen == expected[to], f"in generation {to}"


def test_after_a_rollback_a_deploy_goes_on_from_there(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    shelf.deploy({"a": version(2), "b": version(2)})
    shelf.rollback(1)
    shelf.deploy({"a": version(3)})
    assert shelf.value("gold.a") == 3
    assert not shelf.database.has("gold", "b")
    assert shelf.statuses() == {3: "live", 2: "rolled back", 1: "retired"}
    shelf.rollback(2)
    assert (shelf.value("gold.a"), shelf.value("gold.b")) == (2, 2)
    shelf.rollback(3)
    assert shelf.value("gold.a") == 3


def test_a_build_for_another_generation_is_refused(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    shelf.deploy({"a": version(2)})
    stale = shelf.build({"a": version(3)}, base=1)
    with pytest.raises(StaleError, match="generation 1 is not live any more"):
        shelf.publish(stale)
    assert (shelf.value("gold.a"), shelf.live()) == (2, 2)


def test_a_first_build_is_refused_if_something_is_live_by_now(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    with pytest.raises(StaleError, match="by now"):
        shelf.publish(shelf.build({"a": version(2)}, base=NOTHING))
    assert shelf.value("gold.a") == 1


def test_of_two_publishers_at_once_one_is_refused(shelf: Shelf) -> None:
    """Both hold a build upon the same generation; no lock keeps them apart here but the guard."""
    shelf.deploy({"a": version(1)})
    number = shelf.build({"a": version(2)})
    ends: list[str] = []
    start = threading.Barrier(2)

    def publish() -> None:
        start.wait()
        try:
            shelf.publish(number)
            ends.append("published")
        except PublishError as error:
            ends.append(type(error).__name__)

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["StaleError", "published"]
    assert (shelf.value("gold.a"), shelf.live()) == (2, 2)


@contextmanager
def reading(shelf: Shelf, relation: str, isolation: str = "read committed") -> Iterator[None]:
    """A transaction that has read a relation and stays open."""
    with shelf.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"begin isolation level {isolation}")
        cursor.execute(f"set local application_name = 'report'; select * from {relation}")
        yield
        cursor.execute("rollback")


def test_a_busy_table_is_named_with_its_reader_and_live_stays(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1), "b": version(1)})
    number = shelf.build({"a": version(2), "b": version(2)})
    with (
        reading(shelf, "gold.b"),
        pytest.raises(BusyError, match=r"postgres \(report\), idle in transaction") as caught,
    ):
        shelf.publish(number, Patience(seconds=0.5))
    assert re.search(r"Not published after \d+ attempts", str(caught.value))
    assert (shelf.value("gold.a"), shelf.value("gold.b"), shelf.live()) == (1, 1, 1)
    assert shelf.publish(number).attempts == 1
    assert (shelf.value("gold.a"), shelf.value("gold.b")) == (2, 2)


def test_it_is_published_as_soon_as_the_reader_has_ended(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    number = shelf.build({"a": version(2)})
    with reading(shelf, "gold.a"):
        publishing = threading.Thread(target=shelf.publish, args=[number, Patience(seconds=20)])
        publishing.start()
        time.sleep(0.5)
        assert shelf.live() == 1
    publishing.join()
    assert shelf.value("gold.a") == 2


def test_readers_do_not_queue_behind_a_publisher_that_waits(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    number = shelf.build({"a": version(2)})
    slowest = 0.0
    with reading(shelf, "gold.a"), shelf.database.connect() as connection:

        def give_up() -> None:
            with pytest.raises(BusyError):
                shelf.publish(number, Patience(seconds=2))

        publishing = threading.Thread(target=give_up)
        publishing.start()
        with connection.cursor() as cursor:
            while publishing.is_alive():
                started = time.monotonic()
                cursor.execute("select * from gold.a")
                slowest = max(slowest, time.monotonic() - started)
        publishing.join()
    # The publisher tried for two seconds; nobody waited for as long as one of them.
    assert slowest < 1


def test_who_is_in_the_way_can_be_ended(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    number = shelf.build({"a": version(2)})
    with pytest.raises(psycopg2.Error), reading(shelf, "gold.a"):
        shelf.publish(number, Patience(seconds=0.3, cancel=True))
        assert shelf.value("gold.a") == 2


def test_a_transaction_older_than_the_build_is_waited_for(shelf: Shelf) -> None:
    """It would find the new tables empty: their rows came after its view of the database."""
    shelf.deploy({"a": version(1), "other": version(1)})
    with reading(shelf, "gold.other", "repeatable read"):
        number = shelf.build({"a": version(2)})
        with pytest.raises(BusyError, match=r"older than the build.*report"):
            shelf.publish(number, Patience(seconds=0.3))
        assert shelf.live() == 1
    shelf.publish(number)
    with reading(shelf, "gold.other", "repeatable read"):
        number = shelf.build({"other": version(3), "a": version(3)}, base=2)
    shelf.publish(number)


def test_a_view_outside_reads_the_new_table_with_its_options(shelf: Shelf) -> None:
    shelf.deploy({"a": "as select 1 as version, 'x' as extra"})
    shelf.database.execute(
        "create schema reports;"
        "create view reports.top with (security_invoker=true, security_barrier=true) as "
        "select version from gold.a;"
        "create view reports.top_of_top as select version from reports.top;"
        "create view reports.number as select count(*) from gold.a"
    )
    shelf.deploy({"a": "as select 2 as version, 'y'::text as extra, 3 as more"})
    assert shelf.value("reports.top") == 2
    assert shelf.value("reports.top_of_top") == 2
    options = "select reloptions from pg_class where oid = 'reports.top'::regclass"
    assert set(shelf.database.scalar(options)) == {"security_invoker=true", "security_barrier=true"}
    shelf.rollback(1)
    assert shelf.value("reports.top_of_top") == 1
    assert shelf.value("reports.number") == 1
    (definition,) = shelf.database.query("select pg_get_viewdef('reports.top'::regclass)")
    assert "gold.a" in definition[0]


@pytest.mark.parametrize(
    ("relations", "removed", "said"),
    [
        ({"a": "as select 1 as another"}, (), "reports.top reads gold.a.version, which is no more"),
        ({"a": "as select '1'::text as version"}, (), "as integer; it is now text"),
        ({"b": version(1)}, ("a",), "reports.top reads gold.a, which is removed"),
    ],
)
def test_a_view_outside_that_could_not_follow_is_named(
    shelf: Shelf, relations: dict[str, str], removed: tuple[str, ...], said: str
) -> None:
    shelf.deploy({"a": version(1)})
    shelf.database.execute(
        "create schema reports; create view reports.top as select version from gold.a"
    )
    with pytest.raises(PublishError, match=re.escape(said)):
        shelf.publish(shelf.build(relations, removed=removed))
    assert (shelf.value("gold.a"), shelf.value("reports.top"), shelf.live()) == (1, 1, 1)


def test_a_kept_view_that_was_dropped_since_is_made_again(shelf: Shelf) -> None:
    """A refresh that rebuilds a table in its place drops the views that read it, kept ones too."""
    shelf.database.execute("create schema bronze; create table bronze.t as select 1 as n")
    shelf.deploy(
        {
            "z": "view as select n from bronze.t",
            "a": "view as select n from gold__next.z",
            "b": "view as select n from bronze.t",
        }
    )
    shelf.database.execute(
        "create role reader_of_views; grant select on gold.a to reader_of_views;"
        "comment on view gold.a is 'of z'; alter view gold.a set (security_barrier)"
    )
    shelf.deploy(dict.fromkeys(("a", "z", "b"), "view as select 7 as n"))
    shelf.database.execute("drop table bronze.t cascade; create table bronze.t as select 5 as n")
    assert not shelf.database.has("gold__g1", "a")
    try:
        shelf.rollback(1)
        assert [shelf.value(f"gold.{name}") for name in ("a", "z", "b")] == [5, 5, 5]
        ((acl, comment, options),) = shelf.database.query(
            "select has_table_privilege('reader_of_views', oid, 'select'), "
            "obj_description(oid, 'pg_class'), reloptions from pg_class "
            "where oid = 'gold.a'::regclass"
        )
        assert (acl, comment, options) == (True, "of z", ["security_barrier=true"])
    finally:
        shelf.database.execute("drop owned by reader_of_views; drop role reader_of_views")


def test_rights_comments_indexes_and_statistics_follow(shelf: Shelf) -> None:
    shelf.deploy({"a": "as select 1 as id, 'x' as name, 'secret' as email"})
    shelf.database.execute(
        "create role owner_of_a; create role reader_of_a; create role writer_of_a;"
        "grant usage, create on schema gold, gold__next to owner_of_a;"
        "alter table gold.a owner to owner_of_a;"
        "grant select (id, name) on gold.a to reader_of_a;"
        "grant select, update on gold.a to writer_of_a with grant option;"
        "comment on table gold.a is 'the table'; comment on column gold.a.name is 'the name';"
        "create index by_name on gold.a (lower(name)) where id > 0;"
        "create statistics gold.a_pair (dependencies) on id, name from gold.a;"
        "alter table gold.a alter column name set statistics 500;"
        "alter table gold.a set (fillfactor = 70)"
    )
    try:
        shelf.deploy({"a": "as select 2 as id, 'y' as name, 'new' as email"}, carry=True)
        assert shelf.database.scalar("select id from gold.a") == 2
        ((owner, options, comment),) = shelf.database.query(
            "select pg_get_userbyid(relowner), reloptions, obj_description(oid, 'pg_class') "
            "from pg_class where oid = 'gold.a'::regclass"
        )
        assert (owner, options, comment) == ("owner_of_a", ["fillfactor=70"], "the table")
        may = shelf.database.query(
            "select has_column_privilege('reader_of_a', 'gold.a', 'name', 'select'), "
            "has_column_privilege('reader_of_a', 'gold.a', 'email', 'select'), "
            "has_table_privilege('writer_of_a', 'gold.a', 'update with grant option'), "
            "col_description('gold.a'::regclass, 2)"
        )
        assert may == [(True, False, True, "the name")]
        (index,) = shelf.database.query(
            "select indexdef from pg_indexes where schemaname = 'gold' and tablename = 'a'"
        )
        assert "lower(name)" in index[0]
        assert "WHERE (id > 0)" in index[0]
        ((statistics, target),) = shelf.database.query(
            "select s.stxname, a.attstattarget from pg_statistic_ext s "
            "join pg_attribute a on a.attrelid = s.stxrelid and a.attname = 'name' "
            "where s.stxrelid = 'gold.a'::regclass"
        )
        assert (statistics, target) == ("a_pair", 500)
    finally:
        shelf.database.execute(
            "drop owned by owner_of_a, reader_of_a, writer_of_a cascade;"
            "drop role owner_of_a; drop role reader_of_a; drop role writer_of_a"
        )


def test_statistics_are_where_their_table_is(shelf: Shelf) -> None:
    """They have names of their own in a schema: left in next, they would keep it from being
    dropped.
    """

    def places() -> set[tuple[str, str]]:
        return set(
            shelf.database.query(
                "select stxrelid::regclass::text, stxnamespace::regnamespace || '.' || stxname "
                "from pg_statistic_ext"
            )
        )

    shelf.deploy({"a": "as select 1 as id, 1 as version"})
    shelf.database.execute("create statistics gold.a_pair on id, version from gold.a")
    for number in (2, 3):
        shelf.deploy({"a": f"as select 1 as id, {number} as version"}, carry=True)
        of_all = {("gold.a", "gold.a_pair")} | {
            (f"gold__g{one}.a", f"gold__g{one}.a_pair") for one in range(1, number)
        }
        assert places() == of_all
    back_to_1 = {
        ("gold.a", "gold.a_pair"),
        ("gold__g2.a", "gold__g2.a_pair"),
        ("gold__g3.a", "gold__g3.a_pair"),
    }
    shelf.rollback(1)
    assert places() == back_to_1
    shelf.rollback(3)
    assert places() == of_all
    with shelf.engine() as (engine, _):
        engine.drop_schemas(["gold__next", "gold__g1"])


def test_a_new_table_has_the_default_rights_of_the_live_schema(shelf: Shelf) -> None:
    shelf.database.execute(
        "create role reader_by_default;"
        "alter default privileges in schema gold grant select on tables to reader_by_default"
    )
    try:
        shelf.deploy({"a": version(1)}, carry=True)
        assert shelf.database.scalar(
            "select has_table_privilege('reader_by_default', 'gold.a', 'select')"
        )
    finally:
        shelf.database.execute("drop owned by reader_by_default; drop role reader_by_default")


def test_nobody_else_looks_into_next_or_into_old_generations(shelf: Shelf) -> None:
    shelf.database.execute(
        "create role curious; grant usage on schema gold to curious;"
        "alter default privileges in schema gold grant select on tables to curious"
    )
    try:
        shelf.deploy({"a": version(1)}, carry=True)
        shelf.deploy({"a": version(2)}, carry=True)
        shelf.build({"a": version(3)}, carry=True)
        with shelf.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set role curious")
            cursor.execute("select * from gold.a")
            for schema in ("gold__next", "gold__g1"):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(f"select * from {schema}.a")
    finally:
        shelf.database.execute("drop owned by curious; drop role curious")


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (
            "create function f() returns trigger language plpgsql as 'begin return new; end';"
            "create trigger tr after insert on gold.a for each row execute function f()",
            "gold.a: the trigger tr",
        ),
        (
            "create unique index u on gold.a (version);"
            "create table public.child (version int references gold.a (version))",
            "gold.a: the foreign key child_version_fkey",
        ),
        ("alter table gold.a enable row level security", "gold.a: row level security"),
        ("create publication p for table gold.a", "gold.a: the publication p"),
        (
            "create materialized view public.m as select * from gold.a",
            "gold.a: the materialized view public.m",
        ),
        (
            "create function public.g() returns int begin atomic "
            "select max(version) from gold.a; end",
            "gold.a: the function",
        ),
        ("create table public.c () inherits (gold.a)", "gold.a: the child table c"),
        (
            "create rule r as on delete to gold.a do instead nothing",
            "gold.a: the rule r",
        ),
    ],
)
def test_what_can_not_follow_is_refused_by_name(shelf: Shelf, thing: str, said: str) -> None:
    shelf.deploy({"a": version(1)})
    with shelf.engine() as (engine, _):
        assert engine.refusals([("gold", "a")]) == []
        shelf.database.execute(thing)
        (refused,) = engine.refusals([("gold", "a")])
    assert said in refused
    assert "Drop it, or leave this model out" in refused


def test_a_copy_has_the_rows_keys_and_indexes_of_its_original(shelf: Shelf) -> None:
    shelf.database.execute(
        'create table gold."Odd ""name" (id bigint primary key, '
        "name text not null default 'x' check (name <> ''), "
        '"Twice" bigint generated always as (id * 2) stored);'
        'insert into gold."Odd ""name" (id, name) '
        "select n, md5(n::text) from generate_series(1, 1000) n;"
        'create unique index "By Name" on gold."Odd ""name" (name)'
    )
    with shelf.engine() as (engine, _):
        engine.make_schema("gold__next")
        name = 'Odd "name'
        with pytest.raises(psycopg2.Error):
            engine.copy(("gold", "not there"), ("gold__next", "not there"))
        assert engine.copy(("gold", name), ("gold__next", name)) == 1000
    indexes = (
        "select indexname, replace(indexdef, '__next', '') from pg_indexes "
        "where schemaname = %s order by 1"
    )
    live, copied = (shelf.database.query(indexes, [s]) for s in ("gold", "gold__next"))
    assert live == copied


def test_schemas_are_dropped_with_their_own_and_nothing_else(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1), "v": "view as select * from gold__next.a"})
    shelf.deploy({"a": version(2), "v": "view as select * from gold__next.a"})
    shelf.database.execute("create view public.late as select * from gold__g1.a")
    with shelf.engine() as (engine, _):
        with pytest.raises(PublishError, match=r"gold__g1 can't be dropped.*public\.late|late"):
            engine.drop_schemas(["gold__g1"])
        assert shelf.value("gold__g1.v") == 1
        shelf.database.execute("drop view public.late")
        engine.drop_schemas(["gold__g1"])
        engine.drop_schemas(["gold__g1"])  # once more: nothing to do
    with pytest.raises(PublishError, match=r"gold__g1\.a is not there any more: it was pruned"):
        shelf.rollback(1)
    assert (shelf.value("gold.a"), shelf.value("gold.v")) == (2, 2)


def test_a_path_between_generations_needs_what_lies_between(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    shelf.build({"a": version(2)})
    with shelf.engine() as (_, ledger):
        with pytest.raises(PublishError, match="There is no generation 9"):
            moves.path(ledger.all(), 1, 9)
        with pytest.raises(PublishError, match="Generation 2 can't become live: it is built"):
            moves.path(ledger.all(), 1, 2)


@pytest.mark.parametrize("is_rollback", [True, False])
def test_what_refreshes_remember_is_void_after_a_rollback_and_a_deploy(
    shelf: Shelf, is_rollback: bool
) -> None:
    """The next one must not begin above rows that are not in live any more."""
    shelf.deploy({"a": version(1)})
    shelf.deploy({"a": version(2)})
    number = shelf.build({"a": version(3)})
    shelf.database.execute(
        "insert into ops.refreshes (selection, is_whole, project, settled_batch_id, status) values "
        f"('{SCHEMA}:', true, 'p', 5, 'succeeded'), "
        f"('{SCHEMA}: tag:hourly', true, 'p', 5, 'succeeded'), "
        "('other:', true, 'p', 5, 'succeeded')"
    )
    if is_rollback:
        shelf.rollback(1)
    else:
        shelf.publish(number)
    assert shelf.database.query("select selection from ops.refreshes") == [("other:",)]


def test_two_hundred_relations_are_moved_back_at_once(shelf: Shelf) -> None:
    """How long that takes, `make bench-publish` measures."""
    names = [f"t{number}" for number in range(200)]
    shelf.deploy({name: version(1) for name in names})
    shelf.deploy({name: version(2) for name in names})
    assert shelf.rollback(1).attempts == 1
    assert {shelf.value(f"gold.{name}") for name in ("t0", "t99", "t199")} == {1}


def test_a_target_schema_has_generations_of_its_own(shelf: Shelf) -> None:
    shelf.deploy({"a": version(1)})
    with shelf.engine() as (_, ledger):
        other = type(ledger)(ledger.connection, "other")
        assert other.live() is None
        assert other.begin(
            "deploy", 0, manifest_id=None, code_version=None, author=None, plan={}
        ) == 1  # fmt: skip


def test_a_manifest_is_kept_once_and_forgotten_with_its_last_generation(shelf: Shelf) -> None:
    with shelf.engine() as (_, ledger):
        one = ledger.store_manifest(b'{"nodes": {}}')
        assert ledger.store_manifest(b'{"nodes": {}}') == one
        assert ledger.manifest(one) == b'{"nodes": {}}'
        number = ledger.begin("deploy", 0, manifest_id=one, code_version=None, author=None, plan={})
        ledger.forget_manifests()
        assert ledger.manifest(one)
        ledger.mark_failed(number, "x")
        ledger.forget_manifests()
    assert shelf.database.scalar("select count(*) from ops.manifests") == 0


def test_a_lost_answer_is_looked_up(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks as the transaction ends: whether before or after, the ledger knows."""
    from publishing.postgres.engine import Postgres

    shelf.deploy({"a": version(1)})
    number = shelf.build({"a": version(2)})
    move = Postgres.move

    def broken(self: Postgres, *arguments: object, **options: object) -> None:
        after = options.pop("after", True)
        if after:
            move(self, *arguments, **options)  # type: ignore[arg-type]
        self.execute("select pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(Postgres, "move", broken)
    assert shelf.publish(number, QUICK).attempts == 1
    assert shelf.live() == 2
    third = shelf.build({"a": version(3)})
    monkeypatch.setattr(
        Postgres,
        "move",
        lambda self, *_, **__: self.execute("select pg_terminate_backend(pg_backend_pid())"),
    )
    with pytest.raises(PublishError, match="Not published, live is unchanged"):
        shelf.publish(third)
    assert (shelf.live(), shelf.value("gold.a")) == (2, 2)

    def cancelled(*arguments: object, **options: object) -> None:
        if is_done:
            move(*arguments, **options)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(Postgres, "move", cancelled)
    is_done = False
    with pytest.raises(KeyboardInterrupt):
        shelf.publish(third)
    assert (shelf.live(), shelf.value("gold.a")) == (2, 2)
    is_done = True
    try:
        shelf.publish(third)
    except KeyboardInterrupt:  # which would end all tests
        pytest.fail("it is live, and says that it isn't")
    assert (shelf.live(), shelf.value("gold.a")) == (3, 3)
