"""The demo sources: the same rows every time, the defects they promise, and days that go by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import demo_sources
from databases import Database, temporary_database
from demo_days import SCALE, TODAY, Days

# What each source promises: fixtures/demo_sources/<source>.yml.
PROMISES: dict[str, dict[str, Any]] = {
    name: yaml.safe_load(
        (Path(__file__).parent / "fixtures" / "demo_sources" / f"{name}.yml").read_text()
    )
    for name in demo_sources.SOURCES
}


def tables(database: Database) -> list[str]:
    """The source's own tables, quoted."""
    found = database.query(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p') "
        "and not relispartition and relnamespace::regnamespace::text "
        "not in ('demo', 'information_schema') and relnamespace::regnamespace::text "
        "not like 'pg\\_%' order by 1"
    )
    return [name for (name,) in found]


def defects(name: str, database: Database) -> dict[str, int]:
    return {query: database.scalar(query) for query in PROMISES[name]["defects"]}


def digest(database: Database) -> dict[str, str]:
    """A checksum of each table's rows."""
    return {
        table: database.scalar(
            f"select md5(string_agg(row::text, e'\\n' order by row::text)) from {table} as row"
        )
        for table in tables(database)
    }


@pytest.fixture(scope="module", params=demo_sources.SOURCES)
def small(request: pytest.FixtureRequest) -> Iterator[tuple[str, Database]]:
    """A small source that no test changes."""
    with temporary_database("demo") as database:
        demo_sources.build(database.url, request.param, SCALE, TODAY)
        yield request.param, database


def test_each_promised_defect_is_there(small: tuple[str, Database]) -> None:
    name, database = small
    assert defects(name, database) == PROMISES[name]["defects"]


def test_the_defects_do_not_grow_with_the_scale(make_database: Callable[[str], Database]) -> None:
    for name in demo_sources.SOURCES:
        database = make_database("demo")
        demo_sources.build(database.url, name, 0.2, TODAY)
        assert defects(name, database) == PROMISES[name]["defects"]


def test_the_same_settings_give_the_same_rows(
    small: tuple[str, Database], source: Database
) -> None:
    name, first = small
    demo_sources.build(source.url, name, SCALE, TODAY)
    assert digest(source) == digest(first)
    assert len(set(digest(first).values())) == len(tables(first))  # and none is empty


def test_another_scale_gives_other_rows(small: tuple[str, Database], source: Database) -> None:
    name, first = small
    demo_sources.build(source.url, name, SCALE * 2, TODAY)
    count = f"select count(*) from {PROMISES[name]['biggest_table']}"
    assert 1.7 < source.scalar(count) / first.scalar(count) < 2.3


def test_scale_1_has_the_promised_rows(make_database: Callable[[str], Database]) -> None:
    for name in demo_sources.SOURCES:
        database = make_database("demo")
        demo_sources.build(database.url, name, 1, TODAY)
        rows = sum(database.scalar(f"select count(*) from {table}") for table in tables(database))
        low, high = PROMISES[name]["rows_at_scale_1"]
        assert low < rows < high, name


def test_nothing_happens_in_the_future(small: tuple[str, Database]) -> None:
    name, database = small
    for query in PROMISES[name].get("latest", []):
        assert database.scalar(query) < TODAY, query


def test_the_same_days_give_the_same_rows(make_database: Callable[[str], Database]) -> None:
    for name in demo_sources.SOURCES:
        digests = []
        for _ in range(2):
            days = Days(name, make_database("demo"))
            for _ in range(3):
                days.tick()
            digests.append(digest(days.database))
        assert digests[0] == digests[1]


def test_the_seeded_defects_outlive_the_days(make_database: Callable[[str], Database]) -> None:
    for name in demo_sources.SOURCES:
        days = Days(name, make_database("demo"))
        for _ in range(8):
            days.tick()
        assert defects(name, days.database) == PROMISES[name]["defects"]


def test_ticks_at_the_same_time_are_two_days(source: Database) -> None:
    days = Days("pagila", source)
    program = f"import demo_sources; demo_sources.tick({source.url!r}, 'pagila')"
    ticks = [
        subprocess.Popen([sys.executable, "-c", program], cwd=demo_sources.FOLDER.parent)
        for _ in range(2)
    ]
    assert [tick.wait() for tick in ticks] == [0, 0]
    assert source.scalar("select tick from demo.clock") == 2
    assert days.keys("rental", "rental_id")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("miyabi", "update issues set title = 'X' where issue_id = 30 returning updated_at"),
        (
            "pagila",
            "update customer set first_name = 'X' where customer_id = 70 returning last_update",
        ),
    ],
)
def test_a_change_by_hand_gets_a_new_time_of_change(
    name: str, change: str, source: Database
) -> None:
    demo_sources.build(source.url, name, SCALE, TODAY)
    assert source.scalar(change) > TODAY


def test_a_source_is_made_once(make_database: Callable[[str], Database]) -> None:
    admin = make_database("admin")
    name = f"{admin.name}_pagila"
    try:
        assert demo_sources.create(admin.url, "pagila", SCALE, TODAY, name)
        assert not demo_sources.create(admin.url, "pagila", 5, TODAY, name)
        assert "scale 0.05, day 0" in demo_sources.describe(Database(name).url)
    finally:
        admin.execute(f"drop database if exists {name} with (force)")


def test_a_killed_creation_leaves_no_source(make_database: Callable[[str], Database]) -> None:
    admin = make_database("admin")
    name = f"{admin.name}_pagila"
    exists = "select count(*) from pg_database where datname = %s"
    program = (
        f"import demo_sources; demo_sources.create({admin.url!r}, 'pagila', 20, None, {name!r})"
    )
    creation = subprocess.Popen([sys.executable, "-c", program], cwd=demo_sources.FOLDER.parent)
    try:
        deadline = time.monotonic() + 20
        while not admin.scalar(exists, [f"{name}__unfinished"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        os.kill(creation.pid, signal.SIGKILL)
        creation.wait()
        assert admin.scalar(exists, [name]) == 0
        assert demo_sources.create(admin.url, "pagila", SCALE, TODAY, name)
        assert Database(name).scalar("select count(*) from rental") > 1000
        assert admin.scalar(exists, [f"{name}__unfinished"]) == 0
    finally:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"drop database if exists {name}__unfinished with (force)")


def test_the_sql_draws_no_lots() -> None:
    for script in demo_sources.FOLDER.rglob("*.sql"):
        assert "random(" not in script.read_text(encoding="utf-8")
