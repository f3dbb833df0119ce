#!/usr/bin/env python
"""Brings the warehouse up to date: extracts, builds what changed, tests it, checks freshness.

Builds everything on the first run of a day (UTC), after a change of the project, and until a build
has passed. In between it builds only what stands on tables that landed rows since, and tests only
the rows that landed since; a run that finds nothing new builds nothing.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from contextlib import closing

import click

from common import ops
from common.dbt_project import DbtProjectError, invoke, manifest, warehouse_credentials
from common.project import ROOT
from common.warehouse import errors, open_warehouse
from extract import Request, land
from extraction.declared import declared
from extraction.errors import ExtractError
from refreshing import changes, state

# Read by macros/project/built_batch.sql.
BUILT = "MEDALLION_BUILT_BATCH"
# Tests that need whole tables; keys are held by unique indexes and primary keys at any time.
ONCE_A_DAY = ("test_type:singular", "test_name:unique", "test_name:unique_combination_of_columns")
INTERRUPTED = 130


@click.command(help=__doc__)
@click.option("--target", envvar="MEDALLION_TARGET", help="dbt target to refresh (default: dev).")
@click.option("--source", "sources", multiple=True, help="Only this source; can be repeated.")
@click.option("--select", "rhythm", help="Only these models, such as tag:hourly.")
@click.option("--all", "everything", is_flag=True, help="Build everything, whatever changed.")
def cli(target: str | None, sources: tuple[str, ...], rhythm: str | None, everything: bool) -> None:
    started = time.monotonic()
    try:
        refresh = Refresh(target, sources, rhythm)
        refresh.extract()
        built = refresh.build(everything=everything)
        refresh.check_freshness()
    except errors() as error:
        raise click.ClickException(f"warehouse: {error}") from None
    except (DbtProjectError, ExtractError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("\nStopped. The next refresh builds what this one did not.", err=True)
        sys.exit(INTERRUPTED)
    seconds = time.monotonic() - started
    click.secho(
        f"\n{'Not all went well' if refresh.failed else 'Up to date'}: {built}, {seconds:.0f} s",
        fg="red" if refresh.failed else None,
        bold=True,
    )
    for command in refresh.failed:
        click.secho(f"  failed  {command}", fg="red")
    sys.exit(1 if refresh.failed else 0)


class Refresh:
    """The steps, on a project that is read once; each prints what somebody would type for it."""

    def __init__(self, target: str | None, sources: tuple[str, ...], rhythm: str | None) -> None:
        self.target, self.sources, self.rhythm = target, sources, rhythm
        self.manifest = manifest(target)
        self.failed: list[str] = []

    def extract(self) -> None:
        only = [f"--source={source}" for source in self.sources]
        step = self._begin("python", "scripts/extract.py", *only)
        if not land(declared(self.manifest, self.target), Request(self.sources)):
            self.failed.append(step)

    def build(self, *, everything: bool) -> str:
        """Builds what must be; says in words what that was."""
        with closing(open_warehouse(self.target)) as warehouse:
            with warehouse.cursor() as cursor:
                ops.ensure_tables(cursor)
            # Schemas of one warehouse share its landing and ops, but not what is built in them.
            schema = warehouse_credentials(self.target).schema
            selection = " ".join([f"{schema}:", *sorted(self.sources), self.rhythm or ""]).strip()
            project = state.fingerprint(ROOT)
            built_to = None if everything else state.last_settled(warehouse, selection, project)
            settled = changes.settled_batch(warehouse)
            if built_to is None:
                wanted, options, built = self._everything()
            else:
                tables = changes.changed_tables(warehouse, built_to, self.sources)
                if not tables:
                    return "nothing new"
                wanted, options = self._changed(tables), ["--exclude", *ONCE_A_DAY]
                options += self._tests_of_what_is_here()
                built = f"{len(tables)} changed {'table' if len(tables) == 1 else 'tables'} built"
            if self.rhythm:
                wanted = [f"{one},{self.rhythm}" for one in wanted] or [self.rhythm]
            is_whole = built_to is None
            running = state.begin(warehouse, selection, project, settled, is_whole=is_whole)
            # What is above it must be new to each fact: not if another selection builds its inputs.
            os.environ[BUILT] = "" if self.rhythm or self.sources else str(built_to or "")
            command = ("build", "--exclude-resource-type", "unit_test", *_selecting(wanted))
            succeeded = self._dbt(*command, *options)
            state.finish(warehouse, running, succeeded=succeeded)
        return built

    def check_freshness(self) -> None:
        self._dbt("source", "freshness", *_selecting([f"source:{one}" for one in self.sources]))

    def _everything(self) -> tuple[list[str], list[str], str]:
        # With all that their models read.
        wanted = [f"@source:{source}" for source in self.sources]
        return wanted, self._tests_of_what_is_here(), "all built"

    def _tests_of_what_is_here(self) -> list[str]:
        # A test may look at models of other sources, too, which nobody may have built yet.
        return ["--indirect-selection", "buildable"] if self.sources else []

    def _changed(self, tables: list[tuple[str, str]]) -> list[str]:
        wanted = [f"source:{source}.{table}+" for source, table in tables]
        # Each run is recorded too, which is new to the models of the operations.
        return wanted if self.sources else [*wanted, "source:operations+"]

    def _dbt(self, *command: str) -> bool:
        step = self._begin("dbt", "--log-level", "warn", *command)
        succeeded = invoke(self.manifest, "--log-level", "warn", *command, target=self.target)
        if not succeeded:
            self.failed.append(step)
        return succeeded

    def _begin(self, *command: str) -> str:
        on_target = ["--target", self.target] if self.target else []
        typed = shlex.join([f".venv/bin/{command[0]}", *command[1:], *on_target])
        click.secho(f"\n$ {typed}", bold=True)
        return typed


def _selecting(wanted: list[str]) -> list[str]:
    """Dbt's arguments for these nodes; none for all."""
    return ["--select", *wanted] if wanted else []


if __name__ == "__main__":
    cli()
