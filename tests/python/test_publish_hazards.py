"""What others do while a generation is built or published, and warehouses that are not plain."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from common.embedded_postgres import Cluster
from databases import PGHOST, Database, temporary_database
from publishing.building import retargeted
from publishing.errors import BusyError, PublishError, StaleError
from publishing.moves import Move
from publishing.names import generation_of, next_of
from publishing.publisher import Patience, Published
from publishing_support import SCHEMA, Shelf


@pytest.fixture
def shelf(warehouse: Database) -> Shelf:
    """Generation 1 is live: a table."""
    shelf = Shelf(warehouse)
    shelf.prepare()
    shelf.deploy({"a": version(1)})
    return shelf


def version(number: int) -> str:
    return f"as select {number} as version"


def publish_meanwhile(shelf: Shelf, number: int, work: Callable[[], object]) -> Published:
    """Publishes while a reader is in the way, who ends when the work is done."""
    ended: list[Published | PublishError] = []

    def publish() -> None:
        try:
            ended.append(shelf.publish(number, Patience(seconds=20)))
        except PublishError as error:
            ended.append(error)

    with shelf.database.connect() as reader, reader.cursor() as cursor:
        cursor.execute("begin; select * from gold.a")
        publishing = threading.Thread(target=publish)
        publishing.start()
        time.sleep(0.5)
        work()
        time.sleep(0.3)
        cursor.execute("commit")
        publishing.join()
    (one,) = ended
    if isinstance(one, PublishError):
        raise one
    return one


def test_a_build_whose_place_another_one_took_is_not_published(shelf: Shelf) -> None:
    """The network had parted a deploy from its lock, so another one began in the same schemas."""
    number = shelf.build({"a": version(2)})

    def another() -> None:
        with shelf.engine() as (engine, ledger):
            for waiting in ledger.waiting():
                ledger.mark_failed(waiting.number, "another build came before its publish")
            engine.drop_schemas([next_of("gold")])
        shelf.database.execute("create schema gold__next; create table gold__next.a (version int)")

    with pytest.raises(StaleError, match="another build came"):
        publish_meanwhile(shelf, number, another)
    assert shelf.value("gold.a") == 1
    assert shelf.statuses() == {2: "failed", 1: "live"}
    with pytest.raises(StaleError, match="Generation 2 is failed"):
        shelf.publish(number)


def test_what_is_live_by_now_is_not_marked_as_failed(shelf: Shelf) -> None:
    with shelf.engine() as (_, ledger):
        ledger.mark_failed(1, "another build came before its publish")
        assert ledger.live_number() == 1
        assert ledger.all()[0].message is None


def test_a_view_outside_that_somebody_works_on_meanwhile(shelf: Shelf) -> None:
    """Changed, made or granted while the publisher waits: it is as they left it, and reads new."""
    shelf.database.execute(
        "create schema reports; create view reports.top as select version from gold.a;"
        "create view reports.gone as select version from gold.a"
    )

    def work() -> None:
        shelf.database.execute(
            "create or replace view reports.top with (security_barrier) as "
            "select version, 'changed' as what from gold.a;"
            "create view reports.another as select version from gold.a; drop view reports.gone"
        )

    publish_meanwhile(shelf, shelf.build({"a": version(2)}), work)
    assert shelf.database.query("select version, what from reports.top") == [(2, "changed")]
    assert shelf.value("reports.another") == 2
    assert not shelf.database.has("reports", "gone")


def test_a_view_outside_is_compared_when_all_is_locked(shelf: Shelf) -> None:
    """Somebody made one after the publisher had looked for them."""
    number = shelf.build({"a": version(2)})
    moves = [Move("gold", "a", "table", "gold__g1"), Move("gold__next", "a", "table", "gold")]
    with shelf.engine() as (engine, _):
        views = engine.outside_views([("gold", "a")])
        shelf.database.execute(
            "create schema reports; create view reports.top as select version from gold.a"
        )
        with pytest.raises(BusyError, match="a view outside has changed"):
            engine.move(moves, views, [], made=[], target_schema=SCHEMA, live=1, patience=None)
    assert shelf.value("reports.top") == 1
    shelf.publish(number)
    assert shelf.value("reports.top") == 2


def test_a_view_outside_means_the_same_whatever_the_search_path(shelf: Shelf) -> None:
    shelf.database.execute(
        "create table public.b as select 'from public' as origin; create schema reports;"
        "create view reports.top as select a.version, b.origin from gold.a, public.b;"
        f"alter database {shelf.database.name} set search_path = gold, public"
    )
    shelf.deploy({"a": version(2), "b": "as select 'from gold'::text as origin"})
    assert shelf.database.query("select * from reports.top") == [(2, "from public")]


def test_a_temporary_view_is_refused_by_name(shelf: Shelf) -> None:
    """Its session would go on to read the old table beside the new ones."""
    number = shelf.build({"a": version(2)})
    with shelf.database.connect() as other, other.cursor() as cursor:
        cursor.execute("create temp view mine as select version from gold.a")
        with pytest.raises(PublishError, match=r"pg_temp_\d+\.mine is a temporary view of another"):
            shelf.publish(number)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            shelf.publish(number)
            break
        except PublishError:
            time.sleep(0.1)  # its session is about to end
    assert shelf.live() == 2


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (
            "create table public.log (n int);"
            "create rule r as on insert to public.log do also insert into gold.a values (1)",
            "gold.a: the rule r of public.log",
        ),
        (
            "create table public.guarded (n int); create policy p on public.guarded "
            "using (n in (select version from gold.a))",
            "gold.a: the policy p of public.guarded",
        ),
        (
            "create function public.f() returns setof gold.a language sql as "
            "'select version from gold.a'",
            "gold.a: what has its row type: function public.f()",
        ),
        (
            "create table public.held (one gold.a, many gold.a[])",
            "gold.a: what has its row type: column one of table public.held",
        ),
    ],
)
def test_what_would_stay_with_the_old_table_is_refused(shelf: Shelf, thing: str, said: str) -> None:
    shelf.database.execute(thing)
    with shelf.engine() as (engine, _):
        assert any(said in one for one in engine.refusals([("gold", "a")]))


def test_older_generations_keep_what_hangs_on_them(shelf: Shelf) -> None:
    """A foreign key and a row type of what was live with it then."""
    shelf.deploy(
        {
            "dim": "(id int primary key)",
            "fact": "(id int references gold__next.dim)",
            "whole": "view as select one from gold__next.dim one",
        }
    )
    shelf.deploy({"fact": "(id int)", "whole": "view as select 1 as one"})
    with shelf.engine() as (engine, _):
        assert engine.refusals([("gold", "dim")]) == []
    shelf.deploy({"dim": "(id int primary key, more int)"})
    shelf.rollback(2)
    with shelf.engine() as (engine, _):
        assert engine.refusals([("gold", "dim"), ("gold", "fact"), ("gold", "whole")]) == []


@pytest.fixture
def limited(shelf: Shelf) -> str:
    """A role that is neither a superuser nor sees what others do."""
    name = f"limited_{shelf.database.name}"
    shelf.database.execute(f"drop role if exists {name}; create role {name}")
    return name


def test_a_role_that_does_not_see_how_old_a_reader_is_takes_it_for_old(
    shelf: Shelf, limited: str
) -> None:
    with (
        shelf.database.connect() as reader,
        reader.cursor() as cursor,
        shelf.engine() as (engine, _),
    ):
        cursor.execute("begin isolation level repeatable read; select * from gold.a")
        ((now,),) = shelf.database.query("select clock_timestamp()")
        engine.connection.cursor().execute(f"set role {limited}")
        (one,) = engine.old_readers(now)
        assert "this role needs pg_read_all_stats" in one
        engine.connection.cursor().execute("reset role")
        shelf.database.execute(f"grant pg_read_all_stats to {limited}")
        engine.connection.cursor().execute(f"set role {limited}")
        assert "idle in transaction since" in engine.old_readers(now)[0]
        assert engine.old_readers(now.replace(year=2000)) == []
    shelf.database.execute(f"drop role {limited}")


def test_a_view_of_an_owner_whom_the_role_can_not_act_for_is_refused(
    shelf: Shelf, limited: str
) -> None:
    shelf.database.execute(
        f"create schema reports; grant usage, create on schema reports to {limited};"
        "create view reports.top as select version from gold.a"
    )
    columns = {("gold", "a"): {"version": "integer"}}
    with shelf.engine() as (engine, _):
        engine.connection.cursor().execute(f"set role {limited}")
        (said,) = engine.unreadable(engine.outside_views([("gold", "a")]), columns)
        assert "reports.top belongs to postgres" in said
        engine.connection.cursor().execute("reset role")
        shelf.database.execute(f"alter view reports.top owner to {limited}")
        engine.connection.cursor().execute(f"set role {limited}")
        assert engine.unreadable(engine.outside_views([("gold", "a")]), columns) == []
    shelf.database.execute(f"drop owned by {limited}; drop role {limited}")


def test_sessions_of_another_database_are_left_alone(shelf: Shelf) -> None:
    """A copy of the warehouse has the same ids of relations."""
    with temporary_database("warehouse", template=shelf.database.name) as copy:
        oid = "select 'gold.a'::regclass::oid"
        assert copy.scalar(oid) == shelf.database.scalar(oid)
        with copy.connect() as reader, reader.cursor() as cursor, shelf.engine() as (engine, _):
            cursor.execute("begin; select * from gold.a")
            assert engine.blockers([("gold", "a")]) == []
            engine.cancel([("gold", "a")])
            cursor.execute("select * from gold.a")


def test_locks_are_waited_for_within_one_short_time(shelf: Shelf) -> None:
    """Not for each of them: readers of the first wait for all. The last one never comes free."""
    names = [f"t{number:02}" for number in range(12)]
    shelf.deploy(dict.fromkeys(names, version(1)))
    moves = [Move("gold", name, "table", "gold__g2") for name in names]
    with ExitStack() as stack:
        readers = []
        for name in names:
            cursor = stack.enter_context(shelf.database.connect()).cursor()
            cursor.execute(f"begin; select * from gold.{name}")
            readers.append(cursor)
        released: list[int] = []

        def release() -> None:
            for place, cursor in enumerate(readers[:-1]):
                time.sleep(0.02)
                cursor.execute("commit")
                released.append(place)

        with shelf.engine() as (engine, _):
            thread = threading.Thread(target=release)
            thread.start()
            with pytest.raises(BusyError):
                engine.move(moves, [], [], made=[], target_schema=SCHEMA, live=2, patience=30)
            assert len(released) < len(readers) - 1
            thread.join()


def test_names_that_the_engine_would_cut_off_are_refused() -> None:
    """`<63 bytes>__next` would be the live schema itself."""
    assert len(next_of("é" * 28)) == 34
    with pytest.raises(PublishError, match="more than 63 bytes"):
        next_of("é" * 29)
    with pytest.raises(PublishError, match="more than 63 bytes"):
        generation_of("x" * 58, 123)


def test_a_table_with_options_can_become_a_view(shelf: Shelf) -> None:
    shelf.database.execute("alter table gold.a set (fillfactor = 70)")
    shelf.deploy({"a": "view as select 2 as version"}, carry=True)
    assert shelf.value("gold.a") == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('"w"."gold"."a"', '"w"."gold__next"."a"'),
        ('"gold"."gold"."gold"', '"gold"."gold__next"."gold"'),
    ],
)
def test_a_schema_named_as_its_database_or_its_table(name: str, expected: str) -> None:
    node = SimpleNamespace(schema="gold", relation_name=name)
    manifest = SimpleNamespace(nodes={"model": node})
    with retargeted(manifest, [SimpleNamespace(unique_id="model")]):  # type: ignore[list-item]
        assert node.relation_name == expected
    assert (node.schema, node.relation_name) == ("gold", name)


def test_autovacuum_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does for whoever waits a second for its lock; a publisher never waits for so long.

    Nor is one that is older than the build waited for.
    """
    cluster = Cluster.temporary()
    try:
        cluster.start({"fsync": "off", "autovacuum_naptime": "1s"})
        monkeypatch.setenv(PGHOST, str(cluster.socket_dir))
        shelf = Shelf(Database("postgres"))
        shelf.prepare()
        shelf.deploy({"a": "as select n as version from generate_series(1, 200000) n"})
        shelf.database.execute(
            "alter table gold.a set (autovacuum_vacuum_cost_delay = 100,"
            "autovacuum_vacuum_cost_limit = 1); delete from gold.a where version > 1"
        )
        deadline = time.monotonic() + 30
        while not shelf.database.scalar(
            "select count(*) from pg_stat_progress_vacuum where relid = 'gold.a'::regclass"
        ):
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.05)
        number = shelf.build({"a": version(2)})
        shelf.publish(number, Patience(seconds=10))
        assert shelf.value("gold.a") == 2
    finally:
        cluster.remove()


def test_a_prepared_statement_reads_the_new_table(shelf: Shelf) -> None:
    """And a cursor that outlives its transaction goes on with what it has."""
    with shelf.database.connect() as other, other.cursor() as cursor:
        cursor.execute("prepare one as select version from gold.a; execute one")
        cursor.execute("begin; declare kept cursor with hold for table gold.a; commit")
        shelf.deploy({"a": "as select 'more' as more, 2 as version"})
        cursor.execute("execute one")
        assert cursor.fetchall() == [(2,)]
        cursor.execute("fetch all from kept")
        assert cursor.fetchall() == [(1,)]


def test_what_was_rolled_back_and_pruned_is_refused_and_live_stays(shelf: Shelf) -> None:
    from publishing.pruning import prune

    shelf.deploy({"a": version(2), "v": "view as select * from gold__next.a"})
    shelf.deploy({"a": version(3)})
    shelf.rollback(1)
    with shelf.engine() as (engine, ledger):
        assert prune(engine, ledger, ["gold"], 0) == []
        shelf.rollback(3)  # what was rolled back is kept until a later one is live
        shelf.rollback(1)
        number = shelf.deploy({"a": version(4)})
        assert prune(engine, ledger, ["gold"], 1) == ["gold__g2", "gold__g3"]
        # By which a commit is known to have been taken back, whatever was pruned since.
        assert [one.number for one in ledger.history()] == [number, 1]
    assert shelf.statuses() == {number: "live", 3: "pruned", 2: "pruned", 1: "retired"}
    with pytest.raises(PublishError, match="Generation 2 can't become live: it is pruned"):
        shelf.rollback(3)
    shelf.rollback(1)
    assert shelf.value("gold.a") == 1


def test_a_rollback_does_not_take_protection_away(shelf: Shelf) -> None:
    """What was hung on live since the publish would stay with what goes."""
    shelf.deploy({"a": version(2)})
    shelf.database.execute("alter table gold.a enable row level security")
    with pytest.raises(PublishError, match=r"Not taken back: gold\.a: row level security"):
        shelf.rollback(1)
    assert (shelf.value("gold.a"), shelf.live()) == (2, 2)
