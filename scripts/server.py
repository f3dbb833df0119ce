#!/usr/bin/env python
"""Starts, stops and describes the embedded Postgres of this clone."""

from __future__ import annotations

import os
from contextlib import closing, suppress

import click
import psycopg2
from psycopg2 import errors, sql

from common.embedded_postgres import Cluster, EmbeddedPostgresError, binaries
from common.project import ROOT


def ensure_database(cluster: Cluster, name: str) -> None:
    """Makes an empty database, unless there is one of this name."""
    with closing(psycopg2.connect(cluster.url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("select 1 from pg_database where datname = %s", (name,))
        if cursor.fetchone() is None:
            # Somebody else may be first.
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


@click.group()
def cli() -> None:
    """The embedded Postgres of this clone."""


@cli.command()
def start() -> None:
    """Start the server, with a database for the warehouse; the first time, make it."""
    cluster = Cluster.of_clone(ROOT)
    try:
        started = cluster.start()
    except EmbeddedPostgresError as error:
        raise click.ClickException(str(error)) from None
    ensure_database(cluster, os.environ.get("MEDALLION_PGDATABASE", "warehouse"))
    click.echo(f"Postgres {'started' if started else 'is running'}: {cluster.socket_dir}")


@cli.command()
def stop() -> None:
    """Stop the server; its data stays."""
    Cluster.of_clone(ROOT).stop()


@cli.command()
def socket() -> None:
    """Print the folder of the server's socket."""
    click.echo(Cluster.of_clone(ROOT).socket_dir)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("database", default="warehouse")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def psql(database: str, options: tuple[str, ...]) -> None:
    """Open psql in a database of the server; OPTIONS are psql's own."""
    program = str(binaries() / "psql")
    os.execv(program, [program, Cluster.of_clone(ROOT).url(database), *options])  # noqa: S606


if __name__ == "__main__":
    cli()
