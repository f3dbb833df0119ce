"""Two at once: one of them wins, the other is refused, and nothing is of both."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from common.project import ROOT
from databases import Database
from publish_fault import relations
from publishing.errors import PublishError
from publishing.publisher import Patience, changes_of
from publishing_support import Shelf

PROGRAM = str(Path(__file__).with_name("publish_racer.py"))
ROUNDS = 15


@pytest.fixture
def shelf(warehouse: Database) -> Shelf:
    """Generation 2 is live, upon 1."""
    shelf = Shelf(warehouse)
    shelf.prepare()
    for version in (1, 2):
        shelf.deploy(relations(version))
    return shelf


def whole(shelf: Shelf) -> int:
    """The live generation, which all that is there is of."""
    live = [number for number, status in shelf.statuses().items() if status == "live"]
    assert len(live) == 1
    assert {shelf.value(f"gold.{name}") for name in ("a", "b", "v")} == set(live)
    return live[0]


def at_once(*works: Callable[[], object]) -> list[str]:
    """Begins them in the same moment; how each ended."""
    start, ends = threading.Barrier(len(works)), dict[int, str]()

    def work(place: int) -> None:
        start.wait()
        try:
            works[place]()
            ends[place] = "done"
        except PublishError as error:
            ends[place] = type(error).__name__

    threads = [threading.Thread(target=work, args=[place]) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [ends[place] for place in range(len(works))]


def racers(shelf: Shelf, *waits: float) -> list[dict[str, Any]]:
    """Whole deploys at once, each a process that waits so long for the others."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    started = [
        subprocess.Popen(
            [sys.executable, PROGRAM, shelf.database.name, str(ROUNDS), str(wait)],
            stdout=subprocess.PIPE, text=True, env=env,
        )
        for wait in waits
    ]  # fmt: skip
    return [json.loads(one.communicate()[0]) for one in started]


def test_deploys_that_wait_for_each_other_all_come_about(shelf: Shelf) -> None:
    """A deploy and a refresh are the same here: both are alone while they build and publish."""
    told = racers(shelf, 60, 60)
    assert [one["ends"] for one in told] == [{"done": ROUNDS}] * 2
    published = sorted(told[0]["numbers"] + told[1]["numbers"])
    assert published == list(range(3, 3 + 2 * ROUNDS)), "each was built upon the one before it"
    assert whole(shelf) == published[-1]


def test_a_deploy_that_does_not_wait_is_refused_and_told_by_whom(shelf: Shelf) -> None:
    told = racers(shelf, 0, 0)
    ends = Counter(told[0]["ends"]) + Counter(told[1]["ends"])
    assert set(ends) <= {"done", "PublishError"}
    assert ends["done"] and ends["PublishError"]
    assert whole(shelf) == max(told[0]["numbers"] + told[1]["numbers"])
    for said in told[0]["said"] + told[1]["said"]:
        assert re.search(r"under way: (postgres \(medallion, process|somebody who is gone)", said)


def test_a_rollback_against_a_publish(shelf: Shelf) -> None:
    """Without the lock that keeps commands apart: the guard alone decides."""
    patience, won = Patience(seconds=5), Counter[str]()
    for _ in range(ROUNDS):
        live = whole(shelf)
        back = {one.number: one.base for one in generations(shelf)}[live]
        number = shelf.build(relations(max(shelf.statuses()) + 1))
        publish, rollback = at_once(
            partial(shelf.publish, number, patience),
            partial(shelf.rollback, back, patience),
        )
        # The publish is refused if the rollback came first. A rollback that comes second either
        # finds its plan stale, or was made for what is live by then.
        assert (publish, rollback) in {
            ("done", "StaleError"), ("StaleError", "done"), ("done", "done")
        }  # fmt: skip
        won[f"{publish} {rollback}"] += 1
        expected = number if rollback != "done" else back
        assert whole(shelf) == expected, won
        if shelf.live() == back:
            shelf.rollback(live)
            assert whole(shelf) == live


def test_two_publishes_and_a_rollback_of_the_same(shelf: Shelf) -> None:
    for _ in range(ROUNDS):
        number = shelf.build(relations(max(shelf.statuses()) + 1))
        ends = at_once(*[partial(shelf.publish, number)] * 3)
        assert sorted(ends) == ["StaleError", "StaleError", "done"]
        assert whole(shelf) == number
        ends = at_once(*[partial(shelf.rollback, number - 1)] * 2)
        assert "done" in ends
        assert whole(shelf) == number - 1
        shelf.rollback(number)


def test_two_first_publishes(warehouse: Database) -> None:
    """Nothing is live yet, so there is no row of a live generation to hold on to."""
    for _ in range(5):
        warehouse.execute("drop schema if exists gold, ops, gold__next, gold__g0, gold__g1 cascade")
        shelf = Shelf(warehouse)
        shelf.prepare()
        first = shelf.build({"a": "as select 1 as version"})
        # As if another one, which the network had parted from its lock, built meanwhile.
        with shelf.engine() as (engine, ledger):
            second = ledger.begin(
                "deploy", 0, manifest_id=None, code_version=None, author=None, plan={}
            )
            shelf.database.execute("create table gold__next.b as select 2 as version")
            ledger.record_changes(second, changes_of(engine, [("gold", "b", "table")], []))
            ledger.mark_built(second)
        ends = at_once(partial(shelf.publish, first), partial(shelf.publish, second))
        assert sorted(ends) == ["StaleError", "done"]


def generations(shelf: Shelf) -> Any:  # noqa: ANN401
    with shelf.engine() as (_, ledger):
        return ledger.all()
