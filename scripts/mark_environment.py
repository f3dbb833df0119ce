#!/usr/bin/env python
"""Marks a database as the environment of a target, once: dev, ci, staging or prod.

Nothing writes to a database that is marked as another environment than its target's, or to one of
staging or prod that is not marked at all.
"""

from __future__ import annotations

from contextlib import closing

import click

from common import ops
from common.dbt_project import DbtProjectError, target_name
from common.environment import environment_of, marked
from common.warehouse import WarehouseError, dialect, errors, open_warehouse


@click.command(help=__doc__)
@click.option("--target", envvar="MEDALLION_TARGET", help="dbt target (default: dev).")
def cli(target: str | None) -> None:
    try:
        name = target_name(target)
        environment = environment_of(name)
        with closing(open_warehouse(target)) as connection:
            before = marked(connection)
            if before not in (None, environment):
                raise WarehouseError(
                    f"The database of {name} is marked as {before}, and stays so. To make it "
                    f"{environment}, somebody with rights to it deletes the row of ops.environment."
                )
            if before is None:
                with connection.cursor() as cursor:
                    ops.ensure_tables(cursor)
                    dialect(connection).execute(
                        cursor, "insert into ops.environment (environment) values (%s)",
                        [environment],
                    )  # fmt: skip
    except errors() as error:
        raise click.ClickException(str(error).strip()) from None
    except DbtProjectError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The database of the target {name} is {environment}.")


if __name__ == "__main__":
    cli()
