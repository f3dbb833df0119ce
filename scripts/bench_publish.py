#!/usr/bin/env python
"""Measures publishes against the same readers without them, ours and other ways, in one run.

Everything happens on a server of its own. Four quick readers, half of them in repeatable-read
transactions, and one that reads for three seconds at a time; every half second a new version comes.
Then the time to publish 200 relations and to take them back, by one connection without readers.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import click
import psycopg2
from rich.console import Console

from common import ops
from common.embedded_postgres import VERSION, Cluster
from common.postgres import connect, identifier
from publishing.engine import engine_of
from publishing.errors import BusyError
from publishing.generations import Ledger
from publishing.names import next_of
from publishing.publisher import Patience, Publisher, changes_of
from publishing_load import Seen, definitions, readers

STDERR = Console(stderr=True)
KINDS = ("join", "join", "repeatable", "repeatable", "long")
PAUSE_SECONDS = 0.5
SCHEMA = "bench"
RELATIONS = 200

Made = tuple[int, int]  # versions that came to be live, and attempts at it


@dataclass
class Warehouse:
    """A database in which gold is built by hand."""

    url: str
    version: int = 0

    def connect(self) -> Any:  # noqa: ANN401
        return connect(self.url, "medallion bench")

    def execute(self, *statements: str) -> None:
        """Each in its own transaction."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def empty(self) -> None:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select quote_ident(nspname) from pg_namespace where nspname ~ '^(gold|ops|other)'"
            )
            names = ", ".join(name for (name,) in cursor.fetchall())
            if names:
                cursor.execute(f"drop schema {names} cascade")
            cursor.execute("create schema gold")
            ops.ensure_tables(cursor)
        self.version = 0

    def make(self, schema: str, relations: Mapping[str, str]) -> None:
        self.execute(
            *(
                f"create {'view' if text.startswith('view ') else 'table'} "
                f"{identifier(schema, name)} {text.removeprefix('view ')}"
                for name, text in relations.items()
            )
        )

    def build(self, relations: Mapping[str, str]) -> int:
        """Builds relations into next; returns the number of the generation."""
        with closing(self.connect()) as connection:
            engine, ledger = engine_of(connection), Ledger(connection, SCHEMA)
            engine.drop_schemas([next_of("gold")])
            engine.make_schema(next_of("gold"))
            number = ledger.begin(
                "deploy", ledger.live_number(),
                manifest_id=None, code_version=None, author=None, plan={},
            )  # fmt: skip
            self.make(next_of("gold"), relations)
            kinds = engine.kinds([next_of("gold")])
            ledger.record_changes(
                number, changes_of(engine, [("gold", n, k) for (_, n), k in kinds.items()], [])
            )
            ledger.mark_built(number)
        return number

    def next_version(self) -> int:
        self.version += 1
        return self.build(definitions(self.version, next_of("gold")))

    def publisher(self, seconds: float) -> Publisher:
        return Publisher(self.connect, SCHEMA, Patience(seconds))


def nothing(warehouse: Warehouse) -> Made:
    """Builds as the others do, and publishes none of it."""
    warehouse.next_version()
    return 0, 0


def ours(warehouse: Warehouse) -> Made:
    try:
        published = warehouse.publisher(10).publish(warehouse.next_version())
    except BusyError:
        return 0, 1
    return 1, published.attempts


def renamed_schema(warehouse: Warehouse) -> Made:
    """`ALTER SCHEMA … RENAME`, twice in one transaction."""
    warehouse.next_version()
    warehouse.execute("drop schema if exists gold_old cascade")
    warehouse.execute(
        "alter schema gold rename to gold_old; alter schema gold__next rename to gold"
    )
    return 1, 1


def set_schema(warehouse: Warehouse) -> Made:
    """`SET SCHEMA` for one after the other, each of which waits for up to 100 ms; ten times."""
    warehouse.next_version()
    names = definitions(0, "")
    moves = "; ".join(
        f"alter table {schema}.{name} set schema {to}"
        for schema, to in (("gold", "gold_old"), ("gold__next", "gold"))
        for name in names
    )
    warehouse.execute("drop schema if exists gold_old cascade; create schema gold_old")
    for attempt in range(1, 11):
        try:
            warehouse.execute(f"do $$ begin set local lock_timeout = '100ms'; {moves}; end $$")
        except psycopg2.errors.LockNotAvailable:
            time.sleep(0.05)
        else:
            return 1, attempt
    return 0, 10


def renamed_tables(warehouse: Warehouse) -> Made:
    """As dbt does in its place: model after model, each renamed when it is built."""
    warehouse.version += 1
    for name, text in definitions(warehouse.version, "gold").items():
        kind, body = ("view", text[5:]) if text.startswith("view ") else ("table", text)
        try:
            warehouse.execute(f"drop {kind} if exists gold.{name}__tmp")
            warehouse.execute(
                f"create {kind} gold.{name}__tmp {body}",
                f"set lock_timeout = '10s'; alter {kind} if exists gold.{name} "
                f"rename to {name}__old; alter {kind} gold.{name}__tmp rename to {name}",
                f"drop {kind} if exists gold.{name}__old cascade",
            )
        except psycopg2.Error:
            return 0, 1
    return 1, 1


VARIANTS: dict[str, Callable[[Warehouse], Made]] = {
    "no publishes": nothing,
    "**Medallion: all locks at once, or none**": ours,
    "`ALTER SCHEMA … RENAME`": renamed_schema,
    "`SET SCHEMA`, lock_timeout 100 ms": set_schema,
    "in its place, table by table": renamed_tables,
}


def measure(
    warehouse: Warehouse, variant: Callable[[Warehouse], Made], seconds: float
) -> tuple[Seen, Made]:
    warehouse.empty()
    warehouse.publisher(10).publish(warehouse.next_version())
    done = attempts = 0
    with readers(warehouse.url, KINDS) as finish:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            one, tried = variant(warehouse)
            done, attempts = done + one, attempts + tried
            time.sleep(PAUSE_SECONDS)
        return finish(), (done, attempts)


def many(warehouse: Warehouse, rounds: int) -> dict[str, list[float]]:
    """Milliseconds to publish many relations, and to go back and forth."""
    warehouse.empty()
    taken: dict[str, list[float]] = {"publish": [], "rollback": []}
    names = [f"r{number}" for number in range(RELATIONS)]
    live = 0
    for version in range(rounds + 1):
        number = warehouse.build(dict.fromkeys(names, f"as select {version} as version"))
        publisher = warehouse.publisher(60)
        published = publisher.publish(number)
        if live:
            taken["publish"].append(published.milliseconds)
            taken["rollback"] += [publisher.rollback(to).milliseconds for to in (live, number)]
        live = number
    return taken


def table(found: Mapping[str, tuple[Seen, Made]], seconds: float) -> Iterable[str]:
    base, _ = next(iter(found.values()))
    yield "| variant | reads | p99 | slowest | published / attempts | failed reads | mixed: in a statement, in a transaction | not whole |"  # noqa: E501
    yield "|---|---|---|---|---|---|---|---|"
    for name, (seen, (done, attempts)) in found.items():
        yield (
            f"| {name} | {seen.reads / base.reads:.2f} "
            f"| {seen.percentile(0.99) / base.percentile(0.99):.2f} "
            f"| {max(seen.milliseconds):,.0f} ms | {done} / {attempts} | {seen.failed:,} "
            f"| {seen.mixed_statements:,}, {seen.mixed_transactions:,} | {seen.short:,} |"
        )
    yield ""
    yield (
        f"Without publishes: {base.reads / seconds:,.0f} reads a second, p99 "
        f"{base.percentile(0.99):.1f} ms, the slowest {max(base.milliseconds):,.0f} ms."
    )


@click.command(help=__doc__)
@click.option("--seconds", type=click.FloatRange(1), default=20, show_default=True,
              help="How long each variant is measured.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True,
              help="How often 200 relations are published.")  # fmt: skip
def main(seconds: float, rounds: int) -> None:
    cluster = Cluster.temporary()
    try:
        cluster.start()
        warehouse = Warehouse(cluster.url())
        found = {}
        for name, variant in VARIANTS.items():
            with STDERR.status(name):
                found[name] = measure(warehouse, variant, seconds)
        with STDERR.status(f"{RELATIONS} relations"):
            taken = many(warehouse, rounds)
    finally:
        cluster.remove()
    click.echo(f"Postgres {VERSION}, {os.cpu_count()} cores, {seconds:.0f} s for each variant.\n")
    click.echo("\n".join(table(found, seconds)))
    click.echo(f"\n| {RELATIONS} relations | half of them within | at most |\n|---|---|---|")
    for name, milliseconds in taken.items():
        middle, most = statistics.median(milliseconds), max(milliseconds)
        click.echo(f"| {name} | {middle:.0f} ms | {most:.0f} ms |")


if __name__ == "__main__":
    main()
