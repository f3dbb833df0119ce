"""scripts/extract.py as a user runs it, on the project's own declarations."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import parsed
from commands import script
from common.project import ROOT
from databases import Database, temporary_database


@pytest.fixture(scope="module")
def catalog() -> Iterator[Database]:
    """A source with two of the tables that the project declares for film_catalog."""
    with temporary_database("catalog") as database:
        database.execute(
            "create table actors (actor_id int primary key, actor_name text);"
            "insert into actors values (1, 'Ada'), (2, 'Béla');"
            "create table users (user_id int)"
        )
        yield database


@pytest.fixture
def env(
    warehouse: Database, catalog: Database, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    target = tmp_path_factory.getbasetemp() / "dbt-target"
    return {
        **warehouse.env,
        "FILM_CATALOG_URL": catalog.url,
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
    }


ACTORS = ("--source", "film_catalog", "--table", "actors")


def test_a_run_says_what_landed_and_in_json(env: dict[str, str], warehouse: Database) -> None:
    done = script("extract.py", *ACTORS, "--json", env=env)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["rows"] == 2
    assert summary["tables"][0]["status"] == "loaded"
    assert "film_catalog.actors" in done.stderr
    assert "1 of 1 tables, 2 rows" in done.stderr
    assert "\x1b" not in done.stderr, "no terminal, no control characters"
    assert warehouse.scalar("select count(*) from landing_film_catalog.actors") == 2


def test_a_dry_run_prints_the_plan_and_lands_nothing(
    env: dict[str, str], warehouse: Database
) -> None:
    done = script("extract.py", *ACTORS, "--dry-run", env=env)
    assert done.returncode == 0, done.stderr
    assert "film_catalog.actors" in done.stdout
    assert "compare" in done.stdout
    plans = json.loads(script("extract.py", *ACTORS, "--dry-run", "--json", env=env).stdout)
    assert [plan["table"] for plan in plans] == ["film_catalog.actors"]
    assert warehouse.scalar("select to_regnamespace('landing_film_catalog') is null")


def test_a_failed_table_is_named_and_the_exit_code_tells(
    env: dict[str, str], warehouse: Database
) -> None:
    done = script("extract.py", "--source", "film_catalog", env=env)
    assert done.returncode == 1
    assert "Failed: " in done.stderr
    assert "film_catalog.films" in done.stderr
    assert "there is no table public.films" in " ".join(done.stderr.split())
    assert warehouse.scalar("select count(*) from landing_film_catalog.actors") == 2


def test_what_cannot_start_says_what_to_mend(env: dict[str, str], tmp_path: Path) -> None:
    unset = {**env, "FILM_CATALOG_URL": "", "MEDALLION_TARGET": "ci"}
    assert "set FILM_CATALOG_URL" in script("extract.py", *ACTORS, env=unset).stderr
    assert "PROD_PGHOST" in script("extract.py", *ACTORS, "--target", "prod", env=env).stderr
    wrong_kind = {**unset, "FILM_CATALOG_URL": "sqlserver://reader:x@db/films"}
    assert "says `kind: postgres`" in script("extract.py", *ACTORS, env=wrong_kind).stderr
    unknown = script("extract.py", "--table", "actor_s", env=env)
    assert unknown.returncode == 1
    assert "actors" in unknown.stderr
    both = script("extract.py", "--since", "1", "--full-refresh", env=env)
    assert "exclude each other" in both.stderr


def test_ctrl_c_ends_a_run_at_once(env: dict[str, str], warehouse: Database) -> None:
    with temporary_database("slow") as slow:
        slow.execute("create view actors as select 1 as actor_id, pg_sleep(60)::text as actor_name")
        extraction = subprocess.Popen(
            [sys.executable, ROOT / "scripts" / "extract.py", *ACTORS],
            env=parsed.reuse({**env, "FILM_CATALOG_URL": slow.url}),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            # A shell that starts tests in the background has Ctrl-C ignored by all that they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        reading = (
            "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = %s"
        )
        while not warehouse.scalar(reading, [slow.name]):
            assert extraction.poll() is None
            time.sleep(0.1)
        extraction.send_signal(signal.SIGINT)
        _, said = extraction.communicate(timeout=10)
    assert extraction.returncode == 130
    assert "Interrupted" in said
    assert warehouse.query("select status from ops.extract_batches") == [("running",)]


def test_no_secret_is_printed(env: dict[str, str]) -> None:
    url = "postgresql://reader:s3cret-word@127.0.0.1:1/nothing"
    done = script("extract.py", *ACTORS, "--wait", "0", env={**env, "FILM_CATALOG_URL": url})
    assert done.returncode == 1
    assert "FILM_CATALOG_URL" in done.stderr
    assert "s3cret-word" not in done.stdout + done.stderr
    env["HACKER_NEWS_URL"] = "https://reader:s3cret-word@127.0.0.1:99999/v0"
    for more in ((), ("--dry-run",)):
        done = script("extract.py", "--source", "hacker_news", "--wait", "0", *more, env=env)
        assert done.returncode == 1
        assert "HACKER_NEWS_URL" in done.stdout + done.stderr
        assert "s3cret" not in done.stdout + done.stderr


def test_a_warehouse_that_is_not_there_is_said_once(
    env: dict[str, str], warehouse: Database
) -> None:
    admin, away = Database("postgres"), f"away_{warehouse.name}"
    admin.execute(f"alter database {warehouse.name} rename to {away}")
    done = script("extract.py", "--wait", "0", env=env)
    admin.execute(f"alter database {away} rename to {warehouse.name}")
    assert done.returncode == 1
    assert done.stderr.count(warehouse.name) == 1, done.stderr
