#!/usr/bin/env python
"""Brings the warehouse up to date: extracts, builds what changed, tests it, checks freshness.

Builds everything on the first run of a day (UTC), after a change of the project, and until a build
has passed. In between it builds only what stands on tables that landed rows since, and tests only
the rows that landed since; a run that finds nothing new builds nothing.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing

import click
import psycopg2

from common import ops
from common.job import Job
from common.project import ROOT
from common.warehouse import WarehouseError, open_warehouse
from refreshing import changes, state

# Read by macros/project/get_where_subquery.sql.
TESTED = "MEDALLION_TESTED_BATCH"
BUILD = ("dbt", "--log-level", "warn", "build", "--exclude-resource-type", "unit_test")
INTERRUPTED = 130


@click.command(help=__doc__)
@click.option("--target", envvar="MEDALLION_TARGET", help="dbt target to refresh (default: dev).")
@click.option("--source", "sources", multiple=True, help="Only this source; can be repeated.")
@click.option("--select", "rhythm", help="Only these models, such as tag:hourly.")
@click.option("--all", "everything", is_flag=True, help="Build everything, whatever changed.")
def cli(target: str | None, sources: tuple[str, ...], rhythm: str | None, everything: bool) -> None:
    started = time.monotonic()
    job = Job()
    on_target = ["--target", target] if target else []
    only = [f"--source={source}" for source in sources]
    fresh = [f"source:{source}" for source in sources]
    try:
        job.run("python", "scripts/extract.py", *on_target, *only)
        with closing(open_warehouse(target)) as warehouse:
            built = build(job, warehouse, on_target, sources, rhythm, everything=everything)
        job.run("dbt", "--log-level", "warn", "source", "freshness", *on_target, *selecting(fresh))
    except (WarehouseError, psycopg2.Error) as error:
        raise click.ClickException(f"warehouse: {error}") from None
    except KeyboardInterrupt:
        click.echo("\nStopped. The next refresh builds what this one did not.", err=True)
        sys.exit(INTERRUPTED)
    seconds = time.monotonic() - started
    click.secho(
        f"\n{'Not all went well' if job.failed else 'Up to date'}: {built}, {seconds:.0f} s",
        bold=True,
        fg="red" if job.failed else None,
    )
    for command in job.failed:
        click.secho(f"  failed  {command}", fg="red")
    sys.exit(1 if job.failed else 0)


def build(
    job: Job,
    warehouse: changes.Connection,
    on_target: list[str],
    sources: tuple[str, ...],
    rhythm: str | None,
    *,
    everything: bool,
) -> str:
    """Builds what must be; says in words what that was."""
    with warehouse.cursor() as cursor:
        ops.ensure_tables(cursor)
    selection = " ".join([*sorted(sources), rhythm or ""]).strip()
    project = state.fingerprint(ROOT)
    built_to = None if everything else state.last_settled(warehouse, selection, project)
    settled = changes.settled_batch(warehouse)
    if built_to is None:
        # With all that their models read, and without the tests of models that are not here.
        wanted = [f"@source:{source}" for source in sources]
        options = ["--indirect-selection", "buildable"] if sources else []
        environment, built = None, "all built"
    else:
        tables = [
            f"source:{source}.{table}+"
            for source, table in changes.changed_tables(warehouse, built_to)
            if not sources or source in sources
        ]
        if not tables:
            return "nothing new"
        # Each run is recorded too, which is new to the models of the operations.
        wanted = tables if sources else [*tables, "source:operations+"]
        options, environment = [], {**os.environ, TESTED: str(built_to)}
        built = f"{len(tables)} changed {'table' if len(tables) == 1 else 'tables'} built"
    refresh = state.begin(warehouse, selection, project, settled, is_whole=built_to is None)
    if rhythm:
        wanted = [f"{one},{rhythm}" for one in wanted] or [rhythm]
    succeeded, _ = job.run(*BUILD, *on_target, *selecting(wanted), *options, env=environment)
    state.finish(warehouse, refresh, succeeded=succeeded)
    return built


def selecting(wanted: list[str]) -> list[str]:
    """Dbt's arguments for these nodes; none for all."""
    return ["--select", *wanted] if wanted else []


if __name__ == "__main__":
    cli()
