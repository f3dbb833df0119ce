#!/usr/bin/env python
"""Publishes tested builds at once, and takes them back.

`run` builds what changed since the live generation into `<schema>__next`, tests it there, shows how
it differs from live, and moves it into the place of live in one transaction. What was live is kept
as a generation; `rollback` moves it back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from publishing import commands, show
from publishing.commands import (
    Order,
    confirm_options,
    confirmation,
    patience_options,
    plainly,
    rebuild_option,
    stop_if_failed,
)
from publishing.errors import PublishError
from publishing.guards import Confirmation
from publishing.planning import Wish
from publishing.pruning import KEPT
from publishing.publisher import Patience
from publishing.session import Session

target_option = click.option(
    "--target", envvar="MEDALLION_TARGET", help="dbt target to publish on (default: dev)."
)
wait_option = click.option(
    "--wait",
    type=click.FloatRange(0),
    default=0,
    metavar="SECONDS",
    help="Wait for another deploy or refresh that is under way.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def plan_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--select", multiple=True, help="These instead of what changed, as dbt's."),
        click.option("--all", "everything", is_flag=True, help="Build everything."),
        rebuild_option,
    ):
        command = option(command)
    return command


def publish_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        confirm_options,
        click.option("--note", "notes", multiple=True, metavar="TEXT", help="For the log, too."),
        patience_options,
    ):
        command = option(command)
    return command


@click.group(help=__doc__)
def cli() -> None:
    """The commands below."""


@cli.command()
@target_option
@plan_options
@json_option
def plan(target: str | None, as_json: bool, **wish: Any) -> None:  # noqa: ANN401
    """Says what would be built, and why; changes nothing."""
    with _session(target) as session:
        planned = session.plan(_wish(**wish))
        click.echo(json.dumps(planned.to_json(), indent=2) if as_json else show.plan(planned))


@cli.command()
@target_option
@wait_option
@plan_options
@click.option("--unit-tests", is_flag=True, help="Run the unit tests of what is built, too.")
def build(target: str | None, wait: float, unit_tests: bool, **wish: Any) -> None:  # noqa: ANN401
    """Builds and tests beside live."""
    with _session(target) as session, session.alone(wait):
        wished = _wish(**wish)
        planned = session.plan(wished)
        click.echo(show.plan(planned))
        if not planned.is_empty:
            stop_if_failed(session, session.build(planned, wished, unit_tests=unit_tests))


@cli.command()
@target_option
@click.option("--values", is_flag=True, help="Also tell values; never those of personal columns.")
@click.option("--format", "form", type=click.Choice(["table", "markdown", "json"]),
              default="table", show_default=True)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Into this file.")
def diff(target: str | None, values: bool, form: str, output: Path | None) -> None:
    """Shows how the build that waits differs from live."""
    with _session(target) as session:
        text = show.diffs(session.diff(values=values), form)
        if output:
            output.write_text(text + "\n", encoding="utf-8")
        else:
            click.echo(text)


@cli.command()
@target_option
@wait_option
@publish_options
def publish(target: str | None, wait: float, **given: Any) -> None:  # noqa: ANN401
    """Makes the build that waits live."""
    with _session(target) as session, session.alone(wait):
        click.echo(show.outcome(session.publish(*_given(**given))))


@cli.command()
@target_option
@wait_option
@plan_options
@publish_options
@click.option("--dry-run", is_flag=True, help="Plan only; change nothing.")
def run(target: str | None, wait: float, dry_run: bool, **given: Any) -> None:  # noqa: ANN401
    """Plan, build, diff, publish, and run the snapshots that read what was published."""
    wish = _wish(**{name: given.pop(name) for name in ("select", "everything", "rebuild")})
    order = Order(wish, *_given(**given), wait)
    with _session(target) as session:
        if dry_run:
            click.echo(show.plan(session.plan(wish)))
        else:
            commands.run(session, order)


@cli.command()
@target_option
@click.option("--reason", required=True, metavar="TEXT")
def failed(target: str | None, reason: str) -> None:
    """Writes the outcome of a run that ended before it could: the warehouse knows what is live."""
    commands.settle(target, reason)


@cli.command()
@target_option
@click.argument("commit")
def verified(target: str | None, commit: str) -> None:
    """Fails unless this commit has been live on the target, and was not rolled back."""
    with _session(target) as session:
        if not session.is_published(commit):
            raise PublishError(
                f"{commit[:8]} was never published on {session.name}, or was rolled back."
            )
        click.echo(f"{commit[:8]} was published on {session.name}.")


@cli.command()
@target_option
@wait_option
@click.option("--to", type=click.IntRange(0), metavar="N", help="This generation.  [the last one]")
@patience_options
def rollback(
    target: str | None, wait: float, to: int | None, deadline: float, cancel_blockers: bool
) -> None:
    """Makes the generation before this one live again, or the one that --to names."""
    with _session(target) as session, session.alone(wait):
        patience = Patience(deadline, cancel_blockers)
        click.echo(show.outcome(session.rollback(to, patience)))


@cli.command()
@target_option
@json_option
def status(target: str | None, as_json: bool) -> None:
    """Lists the generations: which is live, who published it, what it takes on disk."""
    with _session(target) as session:
        listed = session.status()
        click.echo(json.dumps(listed, indent=2, default=str) if as_json else show.status(listed))


@cli.command()
@target_option
@wait_option
@click.option("--keep", type=click.IntRange(0), default=KEPT, show_default=True,
              help="How many generations before the live one can become live again.")  # fmt: skip
def prune(target: str | None, wait: float, keep: int) -> None:
    """Drops what older generations keep."""
    with _session(target) as session, session.alone(wait):
        dropped = session.prune(keep)
        click.echo("Dropped " + ", ".join(dropped) if dropped else "Nothing to drop.")


@contextmanager
def _session(target: str | None) -> Iterator[Session]:
    with plainly(), Session.open(target) as session:
        yield session


def _wish(select: tuple[str, ...], everything: bool, rebuild: tuple[str, ...]) -> Wish:
    if select and everything:
        raise click.UsageError("--select and --all exclude each other.")
    return Wish(select, everything, rebuild)


def _given(
    confirmed: tuple[str, ...],
    why: str | None,
    notes: tuple[str, ...],
    deadline: float,
    cancel_blockers: bool,
) -> tuple[Patience, Confirmation]:
    return Patience(deadline, cancel_blockers), confirmation(confirmed, why, notes)


if __name__ == "__main__":
    cli()
