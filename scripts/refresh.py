#!/usr/bin/env python
"""Brings the warehouse up to date: extracts, builds what changed, tests it, checks freshness.

Builds everything on the first run of a day (UTC), after a change of the project, and until a build
has passed. In between it builds only what stands on tables that landed rows since, and tests only
the rows that landed since; a run that finds nothing new builds nothing.

In staging and prod gold is built beside live, and becomes live when all tests have passed.

With --event-time-start and --event-time-end it writes the selected facts of that time again, from
what has landed, and does nothing else.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import click

from common import ops
from common.dbt_project import (
    DbtProjectError,
    ask,
    invoke,
    manifest,
    target_name,
    variables,
    warehouse_credentials,
)
from common.environment import environment_of
from common.project import ROOT
from common.warehouse import errors, open_warehouse
from extract import Request, land
from extraction.declared import declared
from publishing import commands, planning, show
from publishing.commands import plainly
from publishing.errors import PublishError
from publishing.guards import ENVIRONMENTS, Confirmation
from publishing.outcomes import place
from publishing.publisher import Patience
from publishing.session import Session
from refreshing import changes, state

# Read by macros/project/built_batch.sql.
BUILT, TESTED = "MEDALLION_BUILT_BATCH", "MEDALLION_TESTED_BATCH"
WAITING = "MEDALLION_WAITING_BATCH"
# Tests that need whole tables; keys are held by unique indexes and primary keys at any time.
ONCE_A_DAY = ("test_type:singular", "test_name:unique", "test_name:unique_combination_of_columns")
STALE = 3  # nothing but the sources' freshness failed, of which `notify.py freshness` tells
TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"])


@click.command(help=__doc__)
@click.option("--target", envvar="MEDALLION_TARGET", help="dbt target to refresh (default: dev).")
@click.option("--source", "sources", multiple=True, help="Only this source; can be repeated.")
@click.option("--select", "rhythm", help="Only these models, such as tag:hourly.")
@click.option("--all", "everything", is_flag=True, help="Build everything, whatever changed.")
@click.option(
    "--event-time-start", "start", type=TIME, metavar="TIME", help="UTC; needs --select, too."
)
@click.option("--event-time-end", "end", type=TIME, metavar="TIME", help="UTC, itself excluded.")
@click.option(
    "--publish/--in-place",
    "publishes",
    default=None,
    help="Build gold beside live and publish it, or in its place.  [publish in staging and prod]",
)
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="Wait for a deploy or a refresh that is under way.",
)
def cli(
    target: str | None,
    sources: tuple[str, ...],
    rhythm: str | None,
    everything: bool,
    start: datetime | None,
    end: datetime | None,
    publishes: bool | None,
    wait: float,
) -> None:
    started = time.monotonic()
    backfill = _backfill(start, end, rhythm, sources)
    place().unlink(missing_ok=True)
    try:
        with plainly("The next refresh builds what this one did not."):
            if publishes is None:
                publishes = environment_of(target_name(target)) in ENVIRONMENTS
            refresh = Refresh(target, sources, rhythm, publishes=publishes, wait=wait)
            if backfill:
                built = refresh.fill(backfill)
            else:
                refresh.extract()
                refresh.run_snapshots()
                built = refresh.build(everything=everything)
                refresh.check_freshness()
    except (click.ClickException, SystemExit) as error:
        if not publishes:
            raise
        commands.settle(target, "the refresh failed", error)
        sys.exit(error.exit_code if isinstance(error, click.ClickException) else error.code)
    seconds = time.monotonic() - started
    click.secho(
        f"\n{'Not all went well' if refresh.failed else 'Up to date'}: {built}, {seconds:.0f} s",
        fg="red" if refresh.failed else None,
        bold=True,
    )
    for command in refresh.failed:
        click.secho(f"  failed  {command}", fg="red")
    if publishes and refresh.failed and not refresh.is_only_stale:
        commands.settle(target, f"{', '.join(refresh.failed)} failed: the log says why")
    sys.exit(STALE if refresh.is_only_stale else int(bool(refresh.failed)))


@dataclass(frozen=True)
class Backfill:
    """The time whose facts are written again, the end excluded, and dbt's selection of them."""

    start: datetime
    end: datetime
    selection: str


def _backfill(
    start: datetime | None, end: datetime | None, selection: str | None, sources: tuple[str, ...]
) -> Backfill | None:
    if start is None and end is None:
        return None
    if start is None or end is None or not selection or sources:
        raise click.UsageError(
            "--event-time-start, --event-time-end and --select go together, without --source."
        )
    if start >= end:
        raise click.UsageError("--event-time-end must be after --event-time-start.")
    return Backfill(start, end, selection)


class Refresh:
    """The steps, on a project that is read once; each prints what somebody would type for it."""

    def __init__(
        self,
        target: str | None,
        sources: tuple[str, ...],
        rhythm: str | None,
        *,
        publishes: bool,
        wait: float,
    ) -> None:
        """`wait` are the seconds to wait for others that build in these schemas."""
        self.target, self.sources, self.rhythm = target, sources, rhythm
        self.publishes, self.wait = publishes, wait
        self.manifest = manifest(target)
        self.failed: list[str] = []
        self.is_only_stale = False

    def extract(self) -> None:
        only = [f"--source={source}" for source in self.sources]
        step = self._begin("python", "scripts/extract.py", *only)
        if not land(declared(self.manifest, self.target), Request(self.sources)):
            self.failed.append(step)

    def run_snapshots(self) -> None:
        """Those that a deploy has left, whatever else is built."""
        if not self.publishes:
            return
        with Session.open(self.target, self.manifest) as session:
            left = session.snapshots_left()
            if left:
                with session.alone(self.wait):
                    self._check_is_live(session)
                    step = self._begin("dbt", "--log-level", "warn", "snapshot", "--select", *left)
                    try:
                        session.run_snapshots()
                    except PublishError as error:
                        click.echo(str(error), err=True)
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
            built_to = state.last_built(warehouse, selection, project)
            tested_to = None if everything else state.last_tested(warehouse, selection, project)
            settled = changes.settled_batch(warehouse)
            is_part = bool(self.rhythm or self.sources)
            if tested_to is None:
                wanted, options, built = self._everything()
            else:
                tables = changes.changed_tables(warehouse, tested_to, self.sources)
                if not tables:
                    return "nothing new"
                wanted, options = self._changed(tables), ["--exclude", *ONCE_A_DAY]
                if is_part:
                    options += self._tests_of_what_is_here()
                elif changes.views_stay(self.manifest, tables):
                    # Their tests are selected by what they stand on; excluded with them else.
                    options += ["config.materialized:view", "--indirect-selection", "empty"]
                built = f"{len(tables)} changed {'table' if len(tables) == 1 else 'tables'} built"
            if self.rhythm:
                wanted = [f"{one},{self.rhythm}" for one in wanted] or [self.rhythm]
            is_whole = tested_to is None
            running = state.begin(warehouse, selection, project, settled, is_whole=is_whole)
            # What is above it must be new to each fact: not if another selection builds its inputs.
            os.environ[BUILT] = "" if is_part else str(built_to or "")
            os.environ[TESTED] = "" if is_part else str(tested_to or "")
            if not (is_part or is_whole):
                hours = int(variables()["settled_after_hours"])
                os.environ[WAITING] = str(state.waiting_after(warehouse, selection, hours))
            command = ("build", "--exclude-resource-type", "unit_test", *_selecting(wanted))
            succeeded = self._build(*command, *options)
            state.finish(warehouse, running, succeeded=succeeded)
        return built

    def fill(self, wanted: Backfill) -> str:
        """Writes facts of a time again; says in words which."""
        selecting = _selecting(wanted.selection.split())
        found = ask(self.manifest, *selecting, "--resource-type", "model", target=self.target)
        if not found:
            raise DbtProjectError(f"There is no model that `{wanted.selection}` selects.")
        os.environ[BUILT] = os.environ[TESTED] = ""
        times = [f"--event-time-start={wanted.start.isoformat()}"]
        times += [f"--event-time-end={wanted.end.isoformat()}"]
        self._build("build", "--exclude-resource-type", "unit_test", *times, *selecting)
        return f"{wanted.selection} from {wanted.start} to {wanted.end} written again"

    def check_freshness(self) -> None:
        went_well = not self.failed
        selecting = _selecting([f"source:{one}" for one in self.sources])
        self.is_only_stale = not self._dbt("source", "freshness", *selecting) and went_well

    def _build(self, *command: str) -> bool:
        with Session.open(self.target, self.manifest) as session, session.alone(self.wait):
            session.outcomes.failed_before = tuple(self.failed)
            return self._published(session, *command) if self.publishes else self._dbt(*command)

    def _published(self, session: Session, *command: str) -> bool:
        """Builds gold beside live, and publishes it if all tests have passed."""
        self._check_is_live(session)
        arguments = command[command.index("--select") :] if "--select" in command else ()
        plan = session.plan_refresh(arguments)
        if not plan.builds:
            return self._dbt(*command)
        step = self._begin("dbt", "--log-level", "warn", *command)
        result = session.refresh(plan, ("--log-level", "warn", *command))
        if not result.succeeded:
            click.echo(show.outcome(session.outcomes.write_failed(result)), err=True)
            self.failed.append(step)
            return False
        click.echo(show.outcome(session.publish(Patience(), Confirmation())))
        harmless: tuple[type[Exception], ...] = (PublishError, *errors())  # it is live
        try:
            session.prune()
        except harmless as error:
            click.echo(f"Not all old generations were dropped: {error}", err=True)
        return True

    def _check_is_live(self, session: Session) -> None:
        live = session.live_manifest()
        if live is None:
            raise PublishError(
                f"Nothing is deployed here yet: `scripts/deploy.sh {session.name}` comes before "
                "the first refresh."
            )
        changed = planning.changed_names(self.manifest, live, self.target)
        if changed:
            raise PublishError(
                f"The project is not what is live: {', '.join(changed[:5])} "
                f"({len(changed)} changed). Deploy it (`scripts/deploy.sh {session.name}`), or "
                "refresh from the commit that is live (`.venv/bin/python scripts/checkout_live.py "
                f"--target {session.name}`)."
            )

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
