"""While generations come and go, no reader fails, waits, or sees two of them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from databases import Database
from publishing.errors import BusyError
from publishing.publisher import Patience
from publishing_load import LONG_SECONDS, Seen, definitions, readers
from publishing_support import Shelf

SECONDS = 12.0
KINDS = ("join", "repeatable", "repeatable", "outside", "long")


@pytest.fixture
def shelf(warehouse: Database) -> Shelf:
    """Version 1 is live, and a view outside reads a table and a view of it."""
    shelf = Shelf(warehouse)
    shelf.prepare()
    shelf.deploy(definitions(1, "gold__next"))
    warehouse.execute(
        "create schema reports; create view reports.outside as "
        "select a.id, a.version from gold.t2 a join gold.v v on v.id = a.id "
        "and v.version = a.version"
    )
    return shelf


def during(shelf: Shelf, seconds: float, work: Callable[[int], None]) -> tuple[Seen, int]:
    """What the readers saw while the work was done again and again, and how often that was."""
    with readers(shelf.database.url, KINDS) as finish:
        done, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            work(done)
            done += 1
            time.sleep(0.1)
        return finish(), done


def test_readers_never_see_two_versions_and_never_wait(shelf: Shelf) -> None:
    """The same builds without and with publishes, of which every third is taken back at once."""
    busy = 0

    def build(_: int) -> None:
        shelf.build(definitions(shelf.live() + 1, "gold__next"))

    def publish(turn: int) -> None:
        nonlocal busy
        before = shelf.live()
        number = len(shelf.statuses()) + 1
        try:
            shelf.deploy(definitions(number, "gold__next"), patience=Patience(seconds=15))
            if turn % 3 == 0:
                shelf.rollback(before, Patience(seconds=15))
        except BusyError:
            busy += 1

    without, _ = during(shelf, SECONDS, build)
    seen, turns = during(shelf, 2 * SECONDS, publish)
    ratio = seen.percentile(0.99) / without.percentile(0.99)
    print(
        f"\n{turns - busy} of {turns} turns published, {seen.reads:,} reads, p99 "
        f"{seen.percentile(0.99):.1f} ms, {ratio:.2f} times that without publishes; the slowest "
        f"{max(seen.milliseconds):.0f} ms"
    )
    assert turns - busy >= 3, "hardly anything was published, so nothing was proved"
    assert min(without.reads, seen.reads) > 1000
    assert without.wrong == 0, without.errors
    assert (seen.failed, seen.errors) == (0, [])
    assert (seen.mixed_statements, seen.mixed_transactions, seen.short) == (0, 0, 0)
    # Whoever queues behind a publisher that waits for the long reader waits for seconds.
    assert max(seen.milliseconds) < 1000 < LONG_SECONDS * 1000


def test_the_readers_would_notice(shelf: Shelf) -> None:
    """A build in its place, table by table, is one of the things that they are to find."""

    def in_place(version: int) -> None:
        for name, text in definitions(version, "gold").items():
            if text.startswith("view "):
                shelf.database.execute(f"create or replace view gold.{name} {text[5:]}")
                continue
            shelf.database.execute(f"drop table if exists gold.{name}_old cascade")
            shelf.database.execute(f"create table gold.{name}_new {text}")
            shelf.database.execute(f"alter table gold.{name} rename to {name}_old")
            shelf.database.execute(f"alter table gold.{name}_new rename to {name}")

    with readers(shelf.database.url, ("join", "repeatable", "repeatable")) as finish:
        for version in range(2, 60):
            in_place(version)
            time.sleep(0.02)
        seen = finish()
    assert seen.failed, "between two renames, and while the view is gone"
    assert seen.mixed_statements
    assert seen.mixed_transactions + seen.short
