#!/usr/bin/env python
"""Makes the demo's source systems on the embedded server, or lets them live through another day.

The work is done by the SQL in scripts/demo_sources/: common.sql and <source>/create/ make a source,
<source>/tick.sql is a day. Each runs in one transaction, and a new source gets its name only when
it is whole, so whatever is interrupted leaves nothing half made.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import click
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import make_dsn

from common.embedded_postgres import Cluster
from common.project import ROOT

FOLDER = Path(__file__).with_suffix("")
SOURCES = tuple(sorted(folder.parent.name for folder in FOLDER.glob("*/create")))


@contextmanager
def _connect(url: str) -> Iterator[Connection]:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        yield connection


def _run(url: str, scripts: Iterable[Path], settings: dict[str, str]) -> None:
    """Runs scripts in one transaction, with `settings` as its `demo.<name>`."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("set local timezone to 'UTC'")
        for name, value in settings.items():
            cursor.execute("select set_config(%s, %s, true)", (f"demo.{name}", value))
        for script in scripts:
            cursor.execute(script.read_text(encoding="utf-8"))


def build(url: str, source: str, scale: float = 1, as_of: datetime | None = None) -> None:
    """Fills the empty database at `url` with a source; `as_of` stands for today (UTC)."""
    settings = {"scale": str(scale), "as_of": as_of.isoformat() if as_of else ""}
    parts = sorted((FOLDER / source / "create").glob("*.sql"))
    _run(url, [FOLDER / "common.sql", *parts], settings)


def tick(url: str, source: str, as_of: datetime | None = None) -> None:
    """Lets the source at `url` live through its next day."""
    settings = {"as_of": as_of.isoformat() if as_of else ""}
    _run(url, [FOLDER / source / "tick.sql"], settings)


def create(
    server: str,
    source: str,
    scale: float = 1,
    as_of: datetime | None = None,
    name: str | None = None,
) -> bool:
    """Makes the database `name` (default: the source's) on a server; False if it is there."""
    name = name or source
    draft = f"{name}__unfinished"
    with _connect(server) as admin, admin.cursor() as cursor:
        # One at a time; the lock goes with the connection, however that ends.
        cursor.execute("select pg_advisory_lock(hashtext(%s))", (f"demo source {name}",))
        cursor.execute("select 1 from pg_database where datname = %s", (name,))
        if cursor.fetchone():
            return False
        cursor.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(draft))
        )
        cursor.execute(sql.SQL("create database {}").format(sql.Identifier(draft)))
        build(make_dsn(server, dbname=draft), source, scale, as_of)
        cursor.execute(
            sql.SQL("alter database {} rename to {}").format(
                sql.Identifier(draft), sql.Identifier(name)
            )
        )
        return True


def describe(url: str) -> str:
    """The source's scale, day and number of rows, in words."""
    with _connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("select scale, tick from demo.clock")
        scale, day = cursor.fetchone() or (None, None)
        cursor.execute(
            "select count(*), sum(greatest(reltuples, 0))::bigint from pg_class "
            "where relkind = 'r' and relnamespace::regnamespace::text <> 'demo' "
            "and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'"
        )
        _, rows = cursor.fetchone() or (None, None)
    return f"scale {float(scale):g}, day {day}, about {rows:,} rows"


@click.command()
@click.option(
    "--source", "sources", type=click.Choice(SOURCES), multiple=True, help="Only this one."
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Size of a new source: 1 is about 150 000 rows over all.",
)
@click.option("--tick", "ticks", is_flag=True, help="Let one more day happen in those that exist.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Take this day (UTC) for today.",
    default=None,
)
def cli(sources: tuple[str, ...], scale: float, ticks: bool, as_of: datetime | None) -> None:
    """Make the demo's source databases; with --tick, let the next day happen in them."""
    cluster = Cluster.of_clone(ROOT)
    for source in sources or SOURCES:
        started = time.monotonic()
        url = cluster.url(source)
        try:
            done = "created" if create(cluster.url(), source, scale, as_of) else "is there"
            if done == "is there" and ticks:
                tick(url, source, as_of)
                done = "lived through a day"
        except psycopg2.OperationalError as error:
            raise click.ClickException(f"{error}\nIs the server up? `make up` starts it.") from None
        except psycopg2.Error as error:
            raise click.ClickException(
                f"{source}: {error}\n"
                "If an older version of this project made it, `make clean` and begin afresh."
            ) from None
        seconds = time.monotonic() - started
        found = describe(url)
        click.echo(f"{source} {done}: {found}, {seconds:.1f} s")
        if scale != 1 and not found.startswith(f"scale {scale:g},"):
            click.echo(f"  --scale {scale:g} is for new sources: `make clean` first.")


if __name__ == "__main__":
    cli()
