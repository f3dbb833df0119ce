#!/usr/bin/env python
"""Readers that notice when they see two versions: for `make bench-publish` and for the tests.

usage: publishing_load.py <URL> <kind>; reads from the line `go` on until stdin ends, then prints
what it saw as JSON. Each row of a relation that it reads carries the version that it is of.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg2
import psycopg2.extensions

# What is read, and how many rows each relation has.
TABLES = ("t0", "t1", "t2", "t3")
VIEW = "v"
ROWS = 100
LONG_SECONDS = 3.0
_THINK_SECONDS = 0.004

_SEEN = "count(*), min(version), max(version)"
_JOINED = (
    "select count(*), min(least(a.version, b.version, c.version, d.version, v.version)), "
    "max(greatest(a.version, b.version, c.version, d.version, v.version)) "
    "from gold.t0 a join gold.t1 b using (id) join gold.v v using (id) "
    "join gold.t2 c using (id) join gold.t3 d using (id)"
)
_OUTSIDE = (
    "select count(*), min(least(o.version, a.version)), max(greatest(o.version, a.version)) "
    "from reports.outside o join gold.t0 a using (id)"
)
# One statement that takes long, and sees what it joins from its beginning to its end.
_LONG = _JOINED + f" cross join lateral (select pg_sleep({LONG_SECONDS / ROWS})) s"


@dataclass
class Seen:
    """What readers saw: their statements, what went wrong, and how long the quick ones took."""

    reads: int = 0
    failed: int = 0
    mixed_statements: int = 0
    mixed_transactions: int = 0
    short: int = 0  # a relation that was empty, or not whole
    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __add__(self, other: Seen) -> Seen:
        return Seen(*(mine + theirs for mine, theirs in zip(
            vars(self).values(), vars(other).values(), strict=True)))  # fmt: skip

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the quick statements did not exceed."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share) - 1)]

    @property
    def wrong(self) -> int:
        """Reads that failed or saw what never was live."""
        return self.failed + self.mixed_statements + self.mixed_transactions + self.short


def definitions(version: int, schema: str) -> dict[str, str]:
    """What comes after `create` and a relation's name, for each relation of a version."""
    rows = f"as select id, {version} as version from generate_series(1, {ROWS}) id"
    view = (
        f"view as select a.id, a.version from {schema}.t0 a join {schema}.t1 b using (id, version)"
    )
    return {**dict.fromkeys(TABLES, rows), VIEW: view}


@contextmanager
def readers(url: str, kinds: Sequence[str]) -> Iterator[Callable[[], Seen]]:
    """Readers of these kinds, each a process; to call what is yielded ends them and tells what
    they saw. The kinds are join, repeatable, long and outside (a view `reports.outside`).
    """
    command = [sys.executable, str(Path(__file__)), url]
    started = [
        subprocess.Popen([*command, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for kind in kinds
    ]

    def finish() -> Seen:
        for one in started:
            assert one.stdin  # noqa: S101
            one.stdin.close()
            one.stdin = None
        return sum((Seen(**json.loads(one.communicate()[0])) for one in started), Seen())

    try:
        for one in started:
            assert one.stdout  # noqa: S101
            one.stdout.readline()
        for one in started:
            assert one.stdin  # noqa: S101
            one.stdin.write("go\n")
            one.stdin.flush()
        yield finish
    finally:
        for one in started:
            if one.poll() is None:
                one.kill()
                one.wait()


class _Reader:
    def __init__(self, cursor: psycopg2.extensions.cursor) -> None:
        self.cursor, self.seen = cursor, Seen()

    def read(self, statement: str, *, quick: bool = True) -> int | None:
        """The version that a statement saw; None if that was none, or two."""
        seen = self.seen
        started = time.perf_counter()
        self.cursor.execute(statement)
        ((rows, low, high),) = self.cursor.fetchall()
        seen.reads += 1
        if quick:
            seen.milliseconds.append((time.perf_counter() - started) * 1000)
        if low != high:
            seen.mixed_statements += 1
            return None
        if rows != ROWS:
            seen.short += 1
            return None
        return int(low)

    def join(self) -> None:
        self.read(_JOINED)

    def outside(self) -> None:
        self.read(_OUTSIDE)

    def long(self) -> None:
        self.read(_LONG, quick=False)
        time.sleep(LONG_SECONDS / 3)

    def repeatable(self) -> None:
        """Several statements on several relations, in an order of chance, in one transaction."""
        names = random.sample([*TABLES, VIEW], len(TABLES) + 1)
        self.cursor.execute("begin isolation level repeatable read")
        versions: set[int] = set()
        for name in names:
            version = self.read(f"select {_SEEN} from gold.{name}")
            versions |= set() if version is None else {version}
            time.sleep(_THINK_SECONDS / 4)
        self.cursor.execute("commit")
        self.seen.mixed_transactions += len(versions) > 1


def _set_at_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def main(url: str, kind: str) -> None:
    over = threading.Event()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        reader = _Reader(cursor)
        print("ready", flush=True)
        sys.stdin.readline()
        threading.Thread(target=_set_at_end, args=[over], daemon=True).start()
        while not over.is_set():
            try:
                getattr(reader, kind)()
            except psycopg2.Error as error:
                reader.seen.failed += 1
                reader.seen.errors = [*reader.seen.errors, str(error).strip()][:3]
                cursor.execute("rollback")
            time.sleep(random.uniform(0, 2 * _THINK_SECONDS))  # noqa: S311  # no secret
    print(json.dumps(asdict(reader.seen)))


if __name__ == "__main__":
    main(*sys.argv[1:])
