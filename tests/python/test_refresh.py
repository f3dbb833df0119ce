"""A refresh builds and tests what changed, and nothing that changed goes unbuilt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import demo_sources
from commands import dbt, script
from common import ops
from databases import Database, temporary_database
from demo_days import SCALE
from extraction.postgres import ledger
from extraction_support import spec
from refreshing import changes, state
from warehouses import ON_EITHER


@dataclass
class Refreshed:
    """The demo source film_catalog and its warehouse."""

    source: Database
    warehouse: Database
    target: Path

    @property
    def env(self) -> dict[str, str]:
        return {
            **self.warehouse.env,
            "FILM_CATALOG_URL": self.source.url,
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.target),
        }

    def refresh(self, *arguments: str, fails: bool = False, **env: str) -> str:
        """Refreshes, and returns what it says."""
        (self.target / "run_results.json").unlink(missing_ok=True)
        done = script("refresh.py", "--source", "film_catalog", *arguments, env={**self.env, **env})
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    def built(self) -> set[str]:
        """The models and tests of the last build; none if there was none."""
        try:
            results = json.loads((self.target / "run_results.json").read_text())["results"]
        except FileNotFoundError:
            return set()
        return {node["unique_id"].split(".")[2] for node in results}


@pytest.fixture(scope="module")
def film_catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refreshed]:
    """A warehouse after the first refresh of the day."""
    with ExitStack() as stack:
        refreshed = Refreshed(
            stack.enter_context(temporary_database("film_catalog")),
            stack.enter_context(temporary_database("warehouse")),
            tmp_path_factory.mktemp("refresh"),
        )
        demo_sources.build(refreshed.source.url, "film_catalog", SCALE)
        assert "all built" in refreshed.refresh()
        assert {"film_ratings", "br_film_catalog__users"} <= refreshed.built()
        yield refreshed


def test_a_refresh_builds_what_changed_and_again_until_it_passes(film_catalog: Refreshed) -> None:
    """One test for all, because a refresh is three runs of dbt."""
    said = film_catalog.refresh()
    assert "nothing new" in said
    assert "dbt --log-level warn build" not in said

    film_catalog.source.execute("update users set email = 'new@example.org' where id = 40")
    film_catalog.warehouse.execute(
        "create function public.refuse() returns event_trigger language plpgsql as "
        "$$ begin raise 'no changes today'; end $$;"
        "create event trigger refuse on ddl_command_end when tag in ('CREATE VIEW') "
        "execute function public.refuse()"
    )
    film_catalog.refresh(fails=True)
    film_catalog.warehouse.execute("drop event trigger refuse")
    assert "1 changed table built" in film_catalog.refresh(), "landed before, and was not built"
    built = film_catalog.built()
    assert "br_film_catalog__users" in built
    assert "br_film_catalog__films" not in built
    assert "film_ratings" not in built

    film_catalog.warehouse.execute(
        "update ops.refreshes set started_at = started_at - interval '1 day'"
    )
    assert "all built" in film_catalog.refresh(), "the first of another day"


def test_a_rhythm_builds_its_models_and_remembers_for_itself(film_catalog: Refreshed) -> None:
    assert "all built" in film_catalog.refresh("--select", "film_ratings")
    built = film_catalog.built()
    assert "film_ratings" in built
    assert "br_film_catalog__films" not in built
    assert "nothing new" in film_catalog.refresh("--select", "film_ratings")
    assert "dbt --log-level warn build" in film_catalog.refresh("--all")


def test_what_one_developer_built_another_did_not(film_catalog: Refreshed) -> None:
    film_catalog.refresh()
    assert "all built" in film_catalog.refresh(USER="other")
    assert "nothing new" in film_catalog.refresh(), "and the other way round"


def test_two_refreshes_do_not_write_the_same_facts_at_once(film_catalog: Refreshed) -> None:
    with film_catalog.warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtextextended('medallion publish dev_test', 0))")
        said = film_catalog.refresh("--all", "--wait", "0", fails=True)
        assert "dbt --log-level warn build" not in said


def test_only_rows_that_landed_since_are_tested(film_catalog: Refreshed) -> None:
    """Old rows were tested before; the first refresh of a day tests them again."""
    bronze = "dev_test_bronze.br_film_catalog__actors"
    ((batch, name),) = film_catalog.warehouse.query(
        f"select max(_batch_id), min(actor_name) filter (where actor_id = 1) from {bronze}"
    )
    test = ("test", "-s", "catalog_actors_have_a_name")
    since = {**film_catalog.env, "MEDALLION_TESTED_BATCH": str(batch)}

    def actor(name: str, batch: int) -> str:
        return f"update {bronze} set actor_name = '{name}', _batch_id = {batch} where actor_id = 1"

    try:
        film_catalog.warehouse.execute(actor("", batch))
        assert dbt(*test, env=film_catalog.env).returncode != 0
        assert dbt(*test, env=since).returncode == 0
        film_catalog.warehouse.execute(actor("", batch + 1))
        assert dbt(*test, env=since).returncode != 0
    finally:
        film_catalog.warehouse.execute(actor(name, batch))


def test_a_bad_row_that_is_deleted_at_the_source_fails_no_more_builds(
    film_catalog: Refreshed,
) -> None:
    film_catalog.source.execute(
        "insert into films (film_id, title, price) values (9001, 'Below zero', -5)"
    )
    film_catalog.refresh(fails=True)
    film_catalog.source.execute("delete from films where film_id = 9001")
    assert "built" in film_catalog.refresh()
    assert "br_film_catalog__films" in film_catalog.built()


def test_a_dimension_is_built_whole_but_by_refreshes_within_a_day(film_catalog: Refreshed) -> None:
    """Then it takes in what landed, with all that the rest of the row reads."""
    gold, bronze = "dev_test_gold.film_ratings", "dev_test_bronze.br_film_catalog__films"
    film_catalog.refresh("--all")
    batch = film_catalog.warehouse.scalar("select max(batch_id) from ops.extract_batches")
    since = {**film_catalog.env, "MEDALLION_TESTED_BATCH": str(batch)}
    kept = f"create table public.kept as select * from {bronze} where film_id in (1, 2)"
    film_catalog.warehouse.execute(
        f"{kept}; update {bronze} set title = 'new', _batch_id = {batch + 1} where film_id = 1;"
        f"update {bronze} set title = 'seen tomorrow' where film_id = 2"
    )
    titles = f"select title from {gold} where film_id in (1, 2) order by film_id"
    before = film_catalog.warehouse.query(f"select actors from {gold} where film_id = 1")
    ((_,), (second,)) = film_catalog.warehouse.query(titles)
    try:
        assert dbt("run", "-s", "film_ratings", env=since).returncode == 0
        assert film_catalog.warehouse.query(titles) == [("new",), (second,)]
        assert film_catalog.warehouse.query(f"select actors from {gold} where film_id = 1") == (
            before
        )
        assert dbt("run", "-s", "film_ratings", env=film_catalog.env).returncode == 0
        assert film_catalog.warehouse.query(titles) == [("new",), ("seen tomorrow",)]
    finally:
        film_catalog.warehouse.execute(
            f"update {bronze} as b set title = k.title, _batch_id = k._batch_id "
            "from public.kept as k where k.film_id = b.film_id; drop table public.kept"
        )


def test_a_change_of_the_project_changes_its_fingerprint(tmp_path: Path) -> None:
    model = tmp_path / "models" / "one.sql"
    model.parent.mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: x")
    model.write_text("select 1")
    first = state.fingerprint(tmp_path)
    assert state.fingerprint(tmp_path) == first
    assert re.fullmatch("[0-9a-f]{16}", first)
    model.write_text("select 2")
    assert state.fingerprint(tmp_path) != first


@pytest.fixture
def recorded(warehouse: Database) -> Database:
    """A warehouse with the tables of ops, all empty."""
    with warehouse.connect() as connection, connection.cursor() as cursor:
        ops.ensure_tables(cursor)
    return warehouse


@ON_EITHER
def test_all_is_built_after_midnight_a_change_and_whatever_did_not_succeed(
    recorded: Database,
) -> None:
    with recorded.connect() as connection:

        def refresh(project: str, settled: int, whole: bool, succeeded: bool | None) -> None:
            running = state.begin(connection, "", project, settled, is_whole=whole)
            if succeeded is not None:  # else it was killed
                state.finish(connection, running, succeeded=succeeded)

        def built_to(project: str, selection: str = "") -> int | None:
            return state.last_tested(connection, selection, project)

        def facts_have(project: str) -> int | None:
            return state.last_built(connection, "", project)

        assert built_to("old") is None, "a new warehouse"
        refresh("old", 5, whole=True, succeeded=False)
        refresh("old", 6, whole=True, succeeded=None)
        assert built_to("old") is None, "failed and killed"
        assert facts_have("old") is None
        refresh("old", 7, whole=True, succeeded=True)
        refresh("old", 8, whole=False, succeeded=True)
        refresh("old", 9, whole=False, succeeded=False)
        assert built_to("old") == 8
        assert built_to("old", "tag:hourly") is None, "a rhythm of its own"
        assert built_to("new") is None, "the project changed"
        assert facts_have("old") == 8
        assert facts_have("new") is None, "facts that the old project may not have built"
        refresh("new", 10, whole=True, succeeded=True)
        assert built_to("new") == 10
        assert built_to("old") is None, "changed back: what is there is of the new project"
        assert facts_have("old") == 8, "and of this one's facts no more than it built"
        recorded.execute("update ops.refreshes set started_at = '2026-01-01'")
        assert built_to("new") is None, "another day"


@ON_EITHER
def test_rows_may_have_waited_that_landed_hours_before_all_were_tested(recorded: Database) -> None:
    batch = (
        "insert into ops.extract_batches (run_id, mode, status, source_name, table_name, "
        "finished_at) values ('r', 'full', '{}', 's', 'a', {})"
    )
    with recorded.connect() as connection:
        running = state.begin(connection, "", "project", 4, is_whole=True)
        state.finish(connection, running, succeeded=True)
        recorded.execute("update ops.refreshes set started_at = '2026-01-02 12:00'")
        assert state.waiting_after(connection, "", 3) == 0, "nothing has landed"
        recorded.execute(batch.format("loaded", "'2026-01-02 08:59'"))
        recorded.execute(batch.format("failed", "null"))
        assert state.waiting_after(connection, "", 3) == 2
        recorded.execute(batch.format("loaded", "'2026-01-02 09:01'"))
        recorded.execute(batch.format("loaded", "'2026-01-02 08:58'"))
        assert state.waiting_after(connection, "", 3) == 2
        recorded.execute("update ops.extract_batches set status = 'running' where batch_id = 1")
        assert state.waiting_after(connection, "", 3) == 0


def test_a_batch_that_is_about_to_begin_is_not_settled(recorded: Database) -> None:
    """Its number is taken and not to be seen yet, while a later one might be."""

    def begin_another() -> None:
        with recorded.connect() as connection, connection.cursor() as cursor:
            cursor.execute("begin")
            ledger.begin(cursor, spec("later"), "run")
            cursor.execute("commit")

    with recorded.connect() as beginning, beginning.cursor() as cursor:
        cursor.execute("begin")
        first = ledger.begin(cursor, spec("earlier"), "run")
        with ThreadPoolExecutor(1) as pool:
            another = pool.submit(begin_another)
            wait([another], timeout=1)
            with recorded.connect() as connection:
                settled = changes.settled_batch(connection)
            cursor.execute("commit")
            another.result()
    assert settled < first.id


@ON_EITHER
def test_a_batch_that_still_runs_is_not_settled(recorded: Database) -> None:
    warehouse = recorded
    warehouse.execute(
        "insert into ops.extract_batches (run_id, mode, status, source_name, table_name, "
        "rows_loaded, rows_deleted, rows_restored, schema_changes) values "
        "('r', 'full', 'loaded', 's', 'a', 5, 0, 0, '[]'), "
        "('r', 'full', 'running', 's', 'b', null, null, null, null), "
        "('r', 'full', 'loaded', 's', 'c', 0, 1, 0, '[]'), "
        "('r', 'full', 'loaded', 's', 'd', 0, 0, 0, '[]'), "
        "('r', 'full', 'failed', 's', 'e', 9, 0, 0, '[]'), "
        "('r', 'full', 'loaded', 's', 'f', 0, 0, 0, '[\"x\"]')"
    )
    with warehouse.connect() as connection:
        assert changes.settled_batch(connection) == 1
        assert changes.changed_tables(connection, 1, ()) == [("s", "c"), ("s", "f")]
        warehouse.execute("update ops.extract_batches set status = 'loaded' where batch_id = 2")
        assert changes.settled_batch(connection) == 6
