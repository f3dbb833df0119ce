"""What the programs that publish share: options, errors in plain words, the run as a whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from common.dbt_project import DbtProjectError, more_by_doctor
from common.warehouse import errors
from extraction.errors import ExtractError
from notifying.masking import without_data
from publishing import show
from publishing.building import Result
from publishing.errors import PublishError
from publishing.guards import CONFIRMABLE, Confirmation, check_plan
from publishing.outcomes import Outcomes
from publishing.planning import Wish
from publishing.publisher import Patience
from publishing.session import Session

INTERRUPTED = 130


def confirm_options(command: Callable[..., None]) -> Callable[..., None]:
    """What somebody takes upon himself: `confirmed` and `why`, for `confirmation`."""
    for option in (
        click.option("--confirm", "confirmed", multiple=True, type=click.Choice(CONFIRMABLE),
                     help="Publish in spite of this; needs --why."),
        click.option("--why", metavar="TEXT", help="The reason, which is kept in the log."),
    ):  # fmt: skip
        command = option(command)
    return command


rebuild_option = click.option(
    "--rebuild",
    multiple=True,
    metavar="MODEL",
    help="Build this incremental model from nothing; can be repeated.",
)


def patience_options(command: Callable[..., None]) -> Callable[..., None]:
    """For a Patience: `deadline` and `cancel_blockers`."""
    for option in (
        click.option("--deadline", type=click.FloatRange(0), default=60, show_default=True,
                     metavar="SECONDS", help="Give up after so long, if live is in use."),
        click.option("--cancel-blockers", is_flag=True,
                     help="At the deadline, end the sessions that are in the way."),
    ):  # fmt: skip
        command = option(command)
    return command


def confirmation(
    confirmed: tuple[str, ...], why: str | None, notes: tuple[str, ...]
) -> Confirmation:
    """Raises click.UsageError for one of the two without the other."""
    if bool(confirmed) != bool(why and why.strip()):
        raise click.UsageError("--confirm and --why go together: the reason is kept in the log.")
    return Confirmation(frozenset(confirmed), why or "", notes)


@contextmanager
def plainly(
    stopped: str = "`status` says what is live; the next run clears up.",
) -> Iterator[None]:
    """Says in a sentence what the warehouse, a source, dbt or a guard has refused, and ends with 1.

    `stopped` is said to who has pressed Ctrl-C.
    """
    try:
        yield
    except errors() as error:
        raise click.ClickException(f"warehouse: {str(error).strip()}") from None
    except (DbtProjectError, ExtractError, PublishError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo(f"\nStopped. {stopped}", err=True)
        sys.exit(INTERRUPTED)


@dataclass(frozen=True)
class Order:
    """A run: what to build, how to publish it, and where to write what was found before that.

    `agree` is called before the publish, and raises what stops it.
    """

    wish: Wish
    patience: Patience
    confirmation: Confirmation
    wait: float  # seconds, for others that build or publish here
    agree: Callable[[], object] = lambda: None
    artifacts: Path | None = None


def run(session: Session, order: Order) -> None:
    """Plan, build, diff, publish, and run the snapshots that read what was published."""
    with session.alone(order.wait):
        planned = session.plan(order.wish)
        click.echo(show.plan(planned))
        if planned.is_empty:
            session.record_nothing_to_do(order.wish)
            session.run_snapshots()
            return
        check_plan(planned, session.environment, order.confirmation)
        if session.waits(planned, order.wish):
            click.echo("This was built already. Going on with its publish.")
        else:
            stop_if_failed(session, session.build(planned, order.wish))
        found = session.diff()
        click.echo(show.diffs(found, "table"))
        if order.artifacts:
            session.back_up(order.artifacts)
            for form, name in (("markdown", "diff.md"), ("json", "diff.json")):
                text = show.diffs(found, form) + "\n"
                (order.artifacts / name).write_text(text, encoding="utf-8")
        order.agree()
        told = session.publish(order.patience, order.confirmation, found)
        click.echo(show.outcome(told))
        session.run_snapshots(told)


def stop_if_failed(session: Session, result: Result) -> None:
    """Writes and tells how a build failed, and ends with 1."""
    if not result.succeeded:
        click.echo(show.outcome(session.outcomes.write_failed(result)), err=True)
        sys.exit(1)


def settle(target: str | None, reason: str, error: BaseException | None = None) -> None:
    """Writes and tells the outcome of a run that ended early, as the warehouse knows it."""
    if isinstance(error, click.ClickException):
        error.show()
        reason += f": {without_data(error.message)}"
    # The warehouse may be why: somebody must be told all the same.
    with ExitStack() as stack:
        outcomes = Outcomes(None, target or "dev", target)
        with suppress(DbtProjectError, *errors()):
            outcomes = stack.enter_context(Session.open(target)).outcomes
        told = outcomes.settle(reason)
    if not told.failures:  # which were told with the build
        click.echo(show.outcome(told), err=True)
    if outcomes.ledger is None:
        click.echo(f"The warehouse can't be asked: {more_by_doctor(target)}", err=True)
