"""Whatever dies, whenever it dies: one generation is live and whole, and the next run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.embedded_postgres import Cluster
from common.project import ROOT
from databases import PGHOST, Database
from publish_fault import relations
from publishing_support import Shelf

PROGRAM = str(Path(__file__).with_name("publish_fault.py"))
# So long a transaction that publishes lasts, where a test needs to meet it.
SLOW = 0.5


@pytest.fixture
def shelf(warehouse: Database) -> Shelf:
    return filled(warehouse)


def filled(database: Database) -> Shelf:
    """Generation 2 is live, upon 1; a view outside reads it."""
    shelf = Shelf(database)
    shelf.prepare()
    for version in (1, 2):
        shelf.deploy(relations(version))
    database.execute(
        "create schema reports; create view reports.outside as select a.version "
        "from gold.a a join gold.v v using (version)"
    )
    return shelf


def begin(shelf: Shelf, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, PROGRAM, shelf.database.name, *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)


def run(shelf: Shelf, *arguments: object) -> dict[str, Any] | None:
    """How it ended; None if it was killed."""
    process = begin(shelf, *arguments)
    output, _ = process.communicate()
    assert process.returncode in (0, -9)
    told: dict[str, Any] | None = json.loads(output) if process.returncode == 0 else None
    return told


def live_and_whole(shelf: Shelf) -> int:
    """The live generation, which all relations are of, and of which there is one."""
    live = [number for number, status in shelf.statuses().items() if status == "live"]
    assert len(live) == 1
    for name in ("gold.a", "gold.b", "gold.v", "reports.outside"):
        assert shelf.value(name) == live[0], name
    return live[0]


def kill_at_each(shelf: Shelf, step: str, generation: Any) -> Iterator[int]:  # noqa: ANN401
    """Kills a step at one statement after the other, until it is through; `generation` tells which
    one it is about.
    """
    at = 0
    while True:
        at += 1
        if run(shelf, step, generation(), "kill", at) is not None:
            assert at > 3, "the fault was never injected"
            return
        yield at


def slow_down(shelf: Shelf) -> None:
    """A publish lasts for a while between its moves and its end."""
    shelf.database.execute(
        "create function public.slow() returns trigger language plpgsql as "
        f"$$ begin perform pg_sleep({SLOW}); return new; end $$;"
        "create trigger slow before update on ops.generations for each row "
        "when (new.status = 'live') execute function public.slow()"
    )


def newest(shelf: Shelf) -> int:
    return max(shelf.statuses())


def test_kill_9_at_any_statement_of_a_build_leaves_live_alone(shelf: Shelf) -> None:
    for at in kill_at_each(shelf, "build", lambda: newest(shelf) + 1):
        assert live_and_whole(shelf) == 2, f"statement {at}"
    assert "building" in shelf.statuses().values() or "failed" in shelf.statuses().values()
    number = newest(shelf)
    assert shelf.statuses()[number] == "built"
    shelf.publish(number)
    assert live_and_whole(shelf) == number


def test_the_next_run_says_what_it_found(shelf: Shelf) -> None:
    total = (run(shelf, "build", 3, "none", 0) or {})["statements"]
    assert run(shelf, "build", 4, "kill", total - 2) is None
    assert shelf.statuses()[4] == "building"
    told = run(shelf, "build", 5, "none", 0)
    assert told is not None
    assert told["ended"] == "done"
    assert told["said"] == [
        "Generation 4 was being built by test when its process ended. Live was not touched; it is "
        "built anew."
    ]
    assert shelf.statuses()[4] == "failed"
    shelf.publish(5)
    assert live_and_whole(shelf) == 5


def test_kill_9_at_any_statement_of_a_publish(shelf: Shelf) -> None:
    number = shelf.build(relations(3))
    for at in kill_at_each(shelf, "publish", lambda: number):
        assert live_and_whole(shelf) == 2, f"statement {at}"
        assert shelf.statuses()[number] == "built"
    assert live_and_whole(shelf) == number


def test_kill_9_at_any_statement_of_a_rollback(shelf: Shelf) -> None:
    for at in kill_at_each(shelf, "rollback", lambda: 1):
        assert live_and_whole(shelf) == 2, f"statement {at}"
    assert live_and_whole(shelf) == 1
    shelf.rollback(2)
    assert live_and_whole(shelf) == 2


def test_kill_9_at_any_statement_of_a_prune(shelf: Shelf) -> None:
    for at in kill_at_each(shelf, "prune", lambda: 0):
        assert live_and_whole(shelf) == 2, f"statement {at}"
    assert shelf.statuses() == {2: "live", 1: "pruned"}
    assert not shelf.database.has("gold__g1", "a")


def test_kill_9_while_the_server_moves(shelf: Shelf) -> None:
    """The server ends what it has begun."""
    slow_down(shelf)
    number = shelf.build(relations(3))
    process = begin(shelf, "publish", number, "none", 0)
    wait_until_it_sleeps(shelf.database, process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while shelf.live() != number and time.monotonic() < deadline:
        time.sleep(0.05)
    assert live_and_whole(shelf) == number


@pytest.mark.parametrize("fault", ["drop", "lost-answer", "cut"])
@pytest.mark.parametrize("step", ["publish", "rollback"])
def test_a_connection_lost_at_any_statement_is_told_truly(
    shelf: Shelf, step: str, fault: str
) -> None:
    """What it says of live is so, then and later."""
    total = statements_of(shelf, step)
    if fault == "cut":
        slow_down(shelf)
    # The last one is all that the server does; the others are over too soon to be cut.
    for at in range(total if fault == "cut" else 1, total + 1):
        live = live_and_whole(shelf)
        number = shelf.build(relations(newest(shelf) + 1)) if step == "publish" else 3 - live
        told = run(shelf, step, number, fault, at)
        assert told is not None
        claimed = number if told["ended"] == "done" else live
        assert live_and_whole(shelf) == claimed, f"statement {at}: {told['ended']}"
        time.sleep(SLOW + 0.1 if fault == "cut" else 0)
        assert live_and_whole(shelf) == claimed, f"statement {at}: {told['ended']}"
        if claimed == live:
            getattr(shelf, step)(number)
            assert live_and_whole(shelf) == number


def statements_of(shelf: Shelf, step: str) -> int:
    number = shelf.build(relations(3)) if step == "publish" else 1
    told = run(shelf, step, number, "none", 0)
    assert told is not None
    assert told["ended"] == "done"
    assert told["statements"] > 5
    total: int = told["statements"]
    return total


def test_a_server_that_stops_while_it_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The publisher waits for it, and says what is so."""
    cluster = Cluster.temporary()
    try:
        cluster.start({"fsync": "off"})
        monkeypatch.setenv(PGHOST, str(cluster.socket_dir))
        database = Database("postgres")
        shelf = filled(database)
        slow_down(shelf)
        live, number = 2, shelf.build(relations(3))
        database.execute("checkpoint")  # this server may lose what was not published
        for step, to in (("publish", number), ("rollback", 1)):
            process = begin(shelf, step, to, "none", 0)
            wait_until_it_sleeps(database, process)
            cluster.stop("immediate")
            threading.Timer(0.5, cluster.start).start()
            told = json.loads(process.communicate()[0])
            assert "live is unchanged" in told["ended"]
            assert live_and_whole(shelf) == live
            # At once after its end: what it said stays so.
            assert (run(shelf, step, to, "none", 0) or {})["ended"] == "done"
            cluster.stop("immediate")
            cluster.start()
            assert live_and_whole(shelf) == to
            live = to
    finally:
        cluster.remove()


def wait_until_it_sleeps(database: Database, process: subprocess.Popen[str]) -> None:
    while not database.scalar(
        "select count(*) from pg_stat_activity where wait_event = 'PgSleep' "
        "and datname = current_database()"
    ):
        assert process.poll() is None, "it ended before it was met"
        time.sleep(0.02)
