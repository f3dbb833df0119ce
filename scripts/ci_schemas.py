#!/usr/bin/env python
"""Drops the schemas that slim builds of closed pull requests left in a warehouse that all share.

A pull request builds in schemas that begin with `pr_<number>`; nothing else is ever dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click

from common import ops
from common.dbt_project import DbtProjectError, target_name
from common.environment import check_environment, environment_of
from common.github import GitHub, GitHubError
from common.warehouse import dialect, errors, open_warehouse
from publishing.engine import engine_of
from publishing.errors import PublishError

_OURS = re.compile(r"pr_(\d+)(_.*)?")
_LEDGER = ("generation_relations", "generations")

target_option = click.option(
    "--target", envvar="MEDALLION_TARGET", default="ci", show_default=True, help="ci, or its like."
)


@click.group(help=__doc__)
def cli() -> None:
    """The commands below."""


@cli.command()
@target_option
@click.option("--number", envvar="PULL_REQUEST", type=int, required=True, help="Of which one.")
def drop(target: str, number: int) -> None:
    """Drop the schemas of one pull request."""
    _drop(target, lambda there: there & {number})


@cli.command()
@target_option
def sweep(target: str) -> None:
    """Drop the schemas of every pull request that is not open any more."""
    # Asked once the schemas are listed: what is opened meanwhile has none among them.
    _drop(target, lambda there: there - _open_ones())


def _open_ones() -> set[int]:
    return {int(one["number"]) for one in GitHub.of_job().all("pulls", state="open")}


def _drop(target: str, chosen: Callable[[set[int]], set[int]]) -> None:
    """Drops the schemas of the pull requests that `chosen` picks from all that have some."""
    try:
        name = target_name(target)
        if environment_of(name) != "ci":
            raise click.ClickException(f"The target is {name}: schemas are dropped on ci only.")
        with closing(open_warehouse(target)) as connection:
            check_environment(connection, name)
            schemas = _schemas(connection)
            numbers = chosen({number for number, _ in schemas})
            dropped = sorted(schema for number, schema in schemas if number in numbers)
            engine_of(connection).drop_schemas(dropped)
            with connection.cursor() as cursor:
                ops.ensure_tables(cursor)
                for number in numbers:
                    _forget(cursor, f"pr_{number}")
    except errors() as error:
        raise click.ClickException(f"warehouse: {str(error).strip()}") from None
    except (DbtProjectError, GitHubError, PublishError) as error:
        raise click.ClickException(str(error)) from None
    click.echo("Dropped " + ", ".join(dropped) if dropped else "Nothing to drop.")


def _schemas(connection: Any) -> list[tuple[int, str]]:  # noqa: ANN401  # a DB-API connection
    with connection.cursor() as cursor:
        # In capitals, because SQL Server with a binary collation knows them by no other name.
        cursor.execute("select SCHEMA_NAME from INFORMATION_SCHEMA.SCHEMATA")
        names = [str(row[0]) for row in cursor.fetchall()]
    return [(int(ours[1]), name) for name in names if (ours := _OURS.fullmatch(name))]


def _forget(cursor: Any, target_schema: str) -> None:  # noqa: ANN401
    """What the ledger knows of a target schema, so that a number that comes again begins anew."""
    for table in _LEDGER:
        dialect(cursor).execute(
            cursor, f"delete from ops.{table} where target_schema = %s", [target_schema]
        )
    dialect(cursor).execute(
        cursor, "delete from ops.refreshes where selection like %s", [f"{target_schema}:%"]
    )
    cursor.execute(
        "delete from ops.manifests where not exists (select 1 from ops.generations "
        "where ops.generations.manifest_id = ops.manifests.manifest_id)"
    )


if __name__ == "__main__":
    cli()
