"""Whatever dies, whenever it dies: a batch is there whole or not at all, and a rerun is right."""

from __future__ import annotations

import io
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from common.embedded_postgres import UNPRIVILEGED_USER, Cluster
from databases import Database
from extraction.engine import BatchResult
from extraction.postgres.copy_pipe import CHUNK_BYTES, ChunkSink, lines_in
from extraction.run import Options, extract
from extraction.spec import TableSpec
from extraction_support import Shop, Silent, cursor_spec, spec
from warehouses import ON_EITHER

HERE = Path(__file__).parent
ROWS = 60_000  # more than the queue between source and warehouse holds
TABLES = {
    "full": spec(primary_key=("id",), deletes="soft"),
    "cursor": cursor_spec(deletes="soft"),
    "compare": spec(mode="compare", primary_key=("id",), deletes="soft"),
}
EVERY_TABLE = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@pytest.fixture
def items(shop: Shop) -> Shop:
    """A table that has landed once and changed since: rows new, updated, gone, and a new column."""
    shop.source.execute(
        "create table item (id int primary key, name text, updated_at timestamptz not null);"
        "insert into item select i, md5(i::text) || repeat('x', 80), timestamptz '2026-01-01' "
        f"+ i * interval '1 second' from generate_series(1, {ROWS}) as i"
    )
    return shop


def _change(shop: Shop) -> None:
    shop.source.execute(
        "alter table item add column if not exists size int default 7;"
        "delete from item where id <= 10;"
        "update item set name = 'changed', updated_at = now() where id between 11 and 20;"
        "insert into item select i, 'new', now(), 1 "
        f"from generate_series({ROWS + 1}, {ROWS + 50}) as i"
    )


def _state(shop: Shop, table: TableSpec) -> list[tuple[Any, ...]]:
    found = shop.warehouse.query(f"select id, name, _deleted_at from landing_shop.{table.table}")
    return sorted(found, key=str)


def _assert_right(shop: Shop, table: TableSpec) -> None:
    """Landing shows what the source has, and no batch holds a key twice."""
    expected = shop.source.query("select id, name from item order by id")
    assert shop.current(table, "id, name") == expected
    doubled = shop.warehouse.query(
        "select id, _batch_id from landing_shop.item group by id, _batch_id having count(*) > 1"
    )
    assert doubled == []
    states = shop.batches()
    assert states[-1] == "loaded"
    assert "running" not in states


@ON_EITHER
@EVERY_TABLE
@pytest.mark.parametrize("first", [True, False], ids=["first batch", "later batch"])
def test_kill_9_before_any_statement_is_survivable(
    items: Shop, table: TableSpec, first: bool
) -> None:
    small = "delete from item where id > 200"
    items.source.execute(small)
    number = 0
    while True:
        number += 1
        items.warehouse.drop_schemas("landing_shop", "ops")
        items.source.execute("alter table item drop column if exists size; truncate item")
        items.source.execute(
            "insert into item select i, 'item', timestamptz '2026-01-01' + i * interval '1 s' "
            "from generate_series(1, 200) as i"
        )
        before = None
        if not first:
            items.load(table)
            before = _state(items, table)
            _change(items)
        if items.extract_elsewhere(table, "kill", number) is not None:
            break  # there were fewer statements than that: every one has been tried
        if items.has_landed(table):
            seen = _state(items, table)
            items.load(table)
            assert seen in (before, _state(items, table)), f"half a batch after statement {number}"
        items.load(table)
        _assert_right(items, table)
    assert number > 15, "the fault was never injected"


@ON_EITHER
@EVERY_TABLE
@pytest.mark.parametrize("fault", ["drop", "lost-answer"])
def test_a_connection_lost_at_any_statement_is_tried_again(
    items: Shop, table: TableSpec, fault: str
) -> None:
    if fault == "drop" and (why := items.warehouse.cannot_drop_connections()):
        pytest.skip(why)
    items.source.execute("delete from item where id > 200")
    items.load(table)
    _change(items)
    total = (items.extract_elsewhere(table, "none", 0) or {})["statements"]
    for number in range(1, total + 1):
        items.source.execute(
            "update item set name = 'again', updated_at = clock_timestamp() where id = 100"
        )
        result = items.extract_elsewhere(table, fault, number)
        assert result is not None
        assert result["status"] == "loaded", f"statement {number}: {result['error']}"
        _assert_right(items, table)


class _At(Silent):
    """Calls something once, in the middle of the stream."""

    def __init__(self, action: Any) -> None:  # noqa: ANN401
        self._action = action
        self._rows = 0

    def rows(self, spec: TableSpec, rows: int) -> None:
        self._rows += rows
        if self._rows > ROWS / 4 and self._action:
            action, self._action = self._action, None
            action()


@EVERY_TABLE
@pytest.mark.parametrize("end", ["source", "warehouse"])
def test_a_connection_lost_in_mid_stream_is_tried_again(
    items: Shop, table: TableSpec, end: str
) -> None:
    database = items.source if end == "source" else items.warehouse

    def cut() -> None:
        database.query(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and query ilike 'copy%%'",
            [],
        )

    result = items.load(table, observer=_At(cut))
    assert "tried again" in result.warnings[0]
    assert result.rows == ROWS
    _assert_right(items, table)
    assert items.batches() == ["failed", "loaded"]


@ON_EITHER
@EVERY_TABLE
def test_an_error_in_mid_stream_is_the_one_reported(items: Shop, table: TableSpec) -> None:
    items.load(table)
    before = _state(items, table)
    items.source.execute(
        "create view bad as select id, name, case when id = 50000 "
        "then timestamptz '2026-01-01' + (id / (id - 50000)) * interval '1 s' "
        "else updated_at end as updated_at from item"
    )
    error = items.fail(replace(table, from_=("public", "bad")), full_refresh=True)
    assert "division by zero" in error
    assert _state(items, table) == before


@EVERY_TABLE
def test_a_source_that_is_emptied_and_filled_meanwhile_is_never_seen_empty(
    items: Shop, table: TableSpec
) -> None:
    items.load(table)
    results: list[BatchResult] = []
    with items.source.connect() as other, other.cursor() as cursor:
        cursor.execute("begin; create temp table kept as table item; truncate item")
        cursor.execute("insert into item table kept")
        thread = threading.Thread(target=lambda: results.append(items.load(table)))
        thread.start()
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        while not items.source.scalar(f"{blocked} and datname = current_database()"):
            time.sleep(0.05)
        cursor.execute("commit")
        thread.join()
    assert results[0].deleted == 0
    _assert_right(items, table)


def test_a_warehouse_lost_while_the_source_still_thinks_is_noticed(items: Shop) -> None:
    items.source.execute("create view slow as select 1 as id, pg_sleep(30)::text as name")

    def cut() -> None:
        while not items.warehouse.query(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and query like 'copy%%'",
            [],
        ):
            time.sleep(0.05)
        items.source.execute("create or replace view slow as select 1 as id, 'quick' as name")

    threading.Thread(target=cut).start()
    started = time.monotonic()
    result = items.load(spec(from_=("public", "slow")))
    assert result.rows == 1
    assert "tried again" in result.warnings[0]
    assert time.monotonic() - started < 15


@EVERY_TABLE
def test_a_warehouse_that_stays_away_does_not_hide_why_it_was_left(
    items: Shop, table: TableSpec
) -> None:
    name, admin = items.warehouse.name, Database("postgres")

    def cut() -> None:
        admin.execute(f"alter database {name} allow_connections false")
        admin.query(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname='{name}'"
        )

    (result,) = items.extract(table, observer=_At(cut), wait=0.2)
    admin.execute(f"alter database {name} allow_connections true")
    assert "not currently accepting connections" in str(result.error)
    assert "tried again after: warehouse: server closed" in result.warnings[0]


class _Stumbles(Silent):
    """Fails in a way that nobody thought of."""

    def step(self, spec: TableSpec, step: str) -> None:
        if spec.table == "item" and step == "copy":
            raise ZeroDivisionError


@ON_EITHER
def test_a_failure_that_nobody_thought_of_stops_one_table_only(items: Shop) -> None:
    items.source.execute("create table other as select 1 as id")
    bad, good = items.extract(spec(), spec("other"), observer=_Stumbles())
    assert "unexpected ZeroDivisionError" in str(bad.error)
    assert good.status == "loaded"
    assert items.batches() == ["failed"]


def test_no_chunk_is_larger_than_the_queue_reckons_with() -> None:
    chunks: list[bytes] = []
    with io.BufferedWriter(
        ChunkSink(lambda chunk, rows: chunks.append(chunk), lines_in), CHUNK_BYTES
    ) as file:
        file.write(b"row")
        file.write(b"large value" * CHUNK_BYTES)
    assert b"".join(chunks) == b"row" + b"large value" * CHUNK_BYTES
    assert max(map(len, chunks)) == CHUNK_BYTES


@ON_EITHER
def test_two_runs_at_once_land_everything_once(items: Shop) -> None:
    table = cursor_spec()
    results = []
    threads = [threading.Thread(target=lambda: results.append(items.load(table))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.rows for result in results) == [0, 0, 0, ROWS]
    assert items.warehouse.scalar("select count(*) from landing_shop.item") == ROWS


@ON_EITHER
def test_first_runs_of_many_tables_at_once(items: Shop) -> None:
    items.source.execute(
        ";".join(
            f"create table t{i} as select i from generate_series(1, 10) as i" for i in range(8)
        )
    )
    results = items.extract(*(spec(f"t{i}") for i in range(8)), threads=8)
    assert [result.error for result in results] == [None] * 8


@EVERY_TABLE
def test_a_warehouse_that_crashes_is_waited_for(items: Shop, table: TableSpec) -> None:
    cluster = Cluster.temporary()
    try:
        cluster.start({"fsync": "off"})
        url = cluster.url("postgres")

        def crash() -> None:
            cluster.stop("immediate")
            threading.Timer(1.0, cluster.start).start()

        options = Options(url, {"shop": items.source.url}, wait=30)
        (result,) = extract([table], options, _At(crash), lambda result: None)
        assert result.error is None
        assert result.rows == ROWS
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("select count(*) from landing_shop.item")
            assert cursor.fetchone() == (ROWS,)
    finally:
        cluster.remove()


@contextmanager
def _small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own, in a place that the server's user can reach."""
    if os.geteuid() != 0:
        pytest.skip("needs a small file system of its own, which only root can mount")
    place = Path(f"/var/lib/medallion/disk-{os.getpid()}")
    place.mkdir(parents=True)
    options = f"size={megabytes}m,uid={UNPRIVILEGED_USER},mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        if not mounted:
            pytest.skip("needs a small file system of its own, and mounting one is not allowed")
        yield place
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


@EVERY_TABLE
def test_a_full_disk_loses_nothing(items: Shop, table: TableSpec, warehouse: Database) -> None:
    with _small_disk(4) as disk:
        name = f"disk_{warehouse.name}"
        items.source.execute("create table kept as select * from item")
        items.source.execute("delete from item where id > 5000")
        warehouse.execute(f"create tablespace {name} location '{disk}'")
        try:
            warehouse.execute(f"alter database {warehouse.name} set default_tablespace = '{name}'")
            items.load(table)
            before = _state(items, table)
            items.source.execute("insert into item select * from kept where id > 5000")
            error = items.fail(table)
            assert "disk is full" in error, error
            assert _state(items, table) == before
            warehouse.execute(f"alter database {warehouse.name} set default_tablespace = ''")
            warehouse.execute("alter table landing_shop.item set tablespace pg_default")
            items.load(table)
            _assert_right(items, table)
        finally:
            warehouse.execute("drop schema if exists landing_shop, ops cascade")
            warehouse.execute(f"drop tablespace {name}")
