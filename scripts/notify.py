#!/usr/bin/env python
"""Tells people how a deploy, a dbt run or the sources' freshness turned out.

Everything goes to the channels in MEDALLION_NOTIFY_URLS; failures and stale sources also to those
that their group names. A message that cannot be sent is a warning, never a failure.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import wraps
from pathlib import Path
from traceback import extract_tb
from typing import ParamSpec

import click

from common.project import TARGET
from common.warehouse import errors
from notifying import about_freshness, about_outcome, about_run
from notifying.announced import Record
from notifying.circumstances import circumstances
from notifying.delivery import addresses, channels, deliver, unset
from notifying.formats import plain
from notifying.masking import masker
from notifying.message import Message
from notifying.outcome import FailedTest, Outcome, OutcomeError
from notifying.routing import Announcement, announcements, answering
from reporting.artifacts import (
    Age,
    ArtifactError,
    Manifest,
    read_freshness,
    read_manifest,
    read_run,
)
from reporting.problems import Problem

Parameters = ParamSpec("Parameters")


def _warn(sentence: str) -> None:
    click.echo(f"Warning: {masker()(sentence)}", err=True)


def _harmless(command: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Makes a warning of whatever goes wrong, except bad usage: no deploy fails by its message."""

    @wraps(command)
    def harmless(*given: Parameters.args, **named: Parameters.kwargs) -> None:
        try:
            command(*given, **named)
        except click.ClickException:
            raise
        except (ArtifactError, OutcomeError) as error:
            raise click.UsageError(masker()(str(error))) from None
        except Exception as error:  # its text may hold anything, so the place is told
            place = extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            _warn(f"nobody was told, because of a {type(error).__name__} in {where}.")

    return harmless


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--dry-run", is_flag=True, help="Print what would be sent, and to whom."),
        click.option(
            "--target-path",
            type=click.Path(path_type=Path, file_okay=False),
            default=lambda: os.environ.get("DBT_TARGET_PATH", str(TARGET)),
            show_default="target",
            help="The folder of dbt's artifacts.",
        ),
    ):
        command = option(command)
    return command


_warnings = click.option("--warnings", is_flag=True, help="Tell of what only warned, too.")
_of_target = click.option(
    "--target", help="Refuse artifacts of another dbt target.  [default: accept any]"
)


@click.group(help=__doc__)
def cli() -> None:
    """Nothing is shared by the commands but their options."""


@cli.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@_options
@_of_target
@_harmless
def outcome(file: Path | None, dry_run: bool, target_path: Path, target: str | None) -> None:
    """Tell of a publish or a rollback.

    FILE is what the publisher wrote.  [default: outcome.json among the artifacts]
    """
    ended = Outcome.from_json(file or target_path / "outcome.json")
    _expect(target, ended.target, "The outcome")
    try:
        known = read_manifest(target_path / "manifest.json")
    except ArtifactError as error:  # it only adds whom to ask
        _warn(str(error))
        known = None
    groups = dict(known.groups) if known else {}
    around = circumstances()

    def compose(failures: Sequence[FailedTest]) -> Message:
        return about_outcome.message(ended, around, groups, failures)

    failures = [(one, [groups[one.owner]] if one.owner in groups else []) for one in ended.failures]
    _tell(announcements(failures, compose, _warn), dry_run=dry_run)


@cli.command()
@_warnings
@_options
@_of_target
@_harmless
def run(warnings: bool, dry_run: bool, target_path: Path, target: str | None) -> None:
    """Tell of the last dbt run, if anything failed."""
    manifest, ran = _manifest(target_path), read_run(target_path / "run_results.json")
    if ran is None:
        raise click.UsageError(f"{target_path} has no run_results.json: run dbt first.")
    # dbt notes a target only where it was asked for one, and else uses the profile's default.
    ran = replace(ran, target=ran.target or os.environ.get("MEDALLION_TARGET") or "dev")
    _expect(target, ran.target, "The run")
    found = about_run.found(manifest, ran) if ran.judges else []
    if not any(problem.status == "failed" or warnings for problem in found):
        click.echo("Nothing failed, so there is nothing to tell.")
        return
    around = circumstances()

    def compose(problems: Sequence[Problem]) -> Message:
        return about_run.message(manifest, ran, around, problems)

    told = announcements(
        [(problem, answering(manifest, manifest.node(problem.about))) for problem in found],
        compose,
        _warn,
    )
    # A group without a failure isn't told of its warnings, unless they are asked for.
    told = [one for one in told if warnings or one.message.level == "failure"]
    _tell(told, dry_run=dry_run)


@cli.command()
@_warnings
@_options
@click.option(
    "--target",
    envvar="MEDALLION_TARGET",
    help="The dbt target whose warehouse knows what was told before.  [default: dev]",
)
@_harmless
def freshness(warnings: bool, dry_run: bool, target_path: Path, target: str | None) -> None:
    """Tell of stale sources, when they become so and daily.

    A dry run shows all that is stale, whatever was told before.
    """
    manifest, measured = _manifest(target_path), read_freshness(target_path / "sources.json")
    if measured is None:
        raise click.UsageError(
            f"{target_path} has no sources.json: run `dbt source freshness` first."
        )
    failed, warned = about_freshness.FAILED, about_freshness.WARNED
    stale = about_freshness.found(measured, failed)
    late = about_freshness.found(measured, warned) if warnings else []
    found = stale + late
    if not dry_run:  # which asks nobody
        try:
            with closing(Record(measured, target)) as record:
                stale += record.unmeasured()
                # Back from stale to late is no news.
                found = record.news(stale, failed) + record.news(late, failed + warned)
        except errors() as error:
            _warn(
                "what was told before is not known, so all is told: the warehouse's "
                f"ops.source_freshness_results cannot be read ({type(error).__name__})."
            )
    if not found:
        click.echo("No source became stale, so there is nothing to tell.")
        return
    around, environment = circumstances(), target or "dev"

    def compose(ages: Sequence[Age]) -> Message:
        return about_freshness.message(manifest, measured, around, environment, ages)

    owned = [(age, answering(manifest, manifest.node(age.unique_id))) for age in found]
    _tell(announcements(owned, compose, _warn), dry_run=dry_run)


def _manifest(target_path: Path) -> Manifest:
    manifest = read_manifest(target_path / "manifest.json")
    if manifest is None:
        raise click.UsageError(f"{target_path} has no manifest.json: run dbt first.")
    return manifest


def _expect(target: str | None, found: str, what: str) -> None:
    if target and target != found:
        raise click.UsageError(f"{what} is of the target {found}, not of {target}.")


def _tell(announced: Sequence[Announcement], *, dry_run: bool) -> None:
    mask = masker(one.variable for one in announced)
    announced = [replace(one, message=one.message.told_as(mask)) for one in announced]
    if dry_run:
        for one in announced:
            count = len(addresses(one.variable))
            known = f"{count} {'address' if count == 1 else 'addresses'}" if count else "not set"
            click.secho(f"To {one.to} by {one.variable} ({known}):\n", bold=True)
            click.echo(plain(one.message) + "\n")
        return
    for sentence in unset(announced):
        _warn(sentence)
    deliveries = deliver(channels(announced))
    for delivery in deliveries:
        if delivery.problem:
            _warn(f"{delivery.channel} was not told: {delivery.problem}.")
        else:
            click.echo(f"Told {delivery.channel}.")
    if any(delivery.gave_up for delivery in deliveries):
        # Python would wait for the threads that wait for the services.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    cli()
