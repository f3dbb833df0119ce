#!/usr/bin/env python
"""Deploys what is here: builds what changed beside live, tests it, publishes it at once.

Run it again after any failure: it goes on where that is safe, and starts anew where it is not.
`staging_sqlserver` and `prod_sqlserver` are the same environments on SQL Server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import click

import doctor
from common.dbt_project import invoke, manifest
from common.environment import environment_of
from common.project import ROOT
from diagnosis.finding import Level
from extraction.declared import declared
from extraction.run import never_landed
from publishing import commands, show
from publishing.commands import (
    INTERRUPTED,
    Order,
    confirm_options,
    confirmation,
    patience_options,
    plainly,
    rebuild_option,
)
from publishing.outcomes import commit, place
from publishing.planning import Wish
from publishing.publisher import Patience
from publishing.session import Session

# What a terminal and a job that is cancelled send.
CANCELLING = (signal.SIGINT, signal.SIGTERM)
TARGETS = ("staging", "prod", "staging_sqlserver", "prod_sqlserver")


@click.command(help=__doc__)
@click.argument("target", type=click.Choice(TARGETS))
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--full", is_flag=True, help="Build everything, not only what changed.")
@click.option("--yes", is_flag=True, help="Don't ask before the publish.")
@click.option(
    "--override",
    metavar="REASON",
    help="Deploy to prod what staging has not verified or what is older than live, "
    "or files that are not committed; the reason is kept in the log.",
)
@rebuild_option
@confirm_options
@patience_options
@click.option("--wait", type=click.FloatRange(0), default=900, show_default=True, metavar="SECONDS",
              help="For another deploy or refresh that is under way.")  # fmt: skip
def cli(
    target: str,
    dry_run: bool,
    full: bool,
    yes: bool,
    override: str | None,
    rebuild: tuple[str, ...],
    confirmed: tuple[str, ...],
    why: str | None,
    deadline: float,
    cancel_blockers: bool,
    wait: float,
) -> None:
    os.environ.setdefault("MEDALLION_PIPELINE", "deploy")
    wish = Wish(everything=full, rebuild=rebuild)
    patience = Patience(deadline, cancel_blockers)
    order = Order(wish, patience, confirmation(confirmed, why, ()), wait)
    deploy = Deploy(target, order, override, asks=not yes)
    if dry_run:
        with plainly():
            deploy.rehearse()
        return
    place().unlink(missing_ok=True)
    for one in CANCELLING:
        signal.signal(one, deploy.cancel)
    try:
        with plainly():
            deploy.to_live()
    except BaseException as error:
        for one in CANCELLING:  # whoever asks again has to wait until it is told
            signal.signal(one, signal.SIG_IGN)
        ended = "was cancelled" if deploy.is_cancelled else "failed"
        commands.settle(target, f"the step '{deploy.step}' {ended}", error)
        deploy.tell()
        if isinstance(error, click.ClickException):
            sys.exit(error.exit_code)
        raise
    deploy.wind_up()


@dataclass
class Deploy:
    """The steps, on a project that is read once."""

    target: str
    order: Order
    override: str | None
    asks: bool
    is_cancelled: bool = field(default=False, init=False)
    step: str = field(default="", init=False)  # that is under way
    session: Session | None = field(default=None, init=False)
    compiled: Any = field(default=None, init=False)  # dbt's Manifest, with the SQL of each node

    def rehearse(self) -> None:
        """Says what would happen."""
        self.check_settings()
        self.begin("plan")
        with Session.open(self.target) as session:
            click.echo(show.plan(session.plan(self.order.wish)))

    def to_live(self) -> None:
        """Ends when what is here is live; raises what stops it, or SystemExit if that was said."""
        self.check_settings()
        self.check_commit()
        with Session.open(self.target, self.project()) as self.session:
            self.extract()
            self.compile()
            self.begin("build, test, diff, publish")
            folder = place().parent / "deploy"
            commands.run(self.session, replace(self.order, agree=self.agree, artifacts=folder))

    def wind_up(self) -> None:
        """What comes afterwards is a warning: it is live."""
        self.begin("notify")
        self.tell()
        if self.is_cancelled:
            sys.exit(INTERRUPTED)
        self.session = None  # nothing is lost any more by ending it
        self.begin("docs")
        self.harmless(self.document, "The docs were not made.")
        self.begin("prune")
        self.harmless(self.prune, "Old generations were not dropped.")

    def cancel(self, *_: object) -> None:
        """Ends it, at the latest before the publish: libraries may swallow the exception.

        While it is written down that it is live, only who asks twice ends it.
        """
        has_asked, self.is_cancelled = self.is_cancelled, True
        if has_asked or not (self.session and self.session.is_recording):
            raise KeyboardInterrupt

    def agree(self) -> None:
        """Asks, if it should, whether to publish."""
        if self.is_cancelled:
            raise KeyboardInterrupt
        if self.asks:
            click.confirm("Publish?", abort=True)

    # --- the steps

    def begin(self, step: str) -> None:
        self.step = step
        click.echo(f"\n== {step}")

    def check_settings(self) -> None:
        self.begin("preflight")
        found = []
        for finding in doctor.findings(self.target):
            doctor.show(finding)
            found.append(finding.level)
        if Level.PROBLEM in found:
            sys.exit(1)

    def check_commit(self) -> None:
        """Only what is committed is deployed, and to prod only what was live in staging."""
        self.begin("commit")
        head, is_prod = _git("rev-parse", "HEAD"), environment_of(self.target) == "prod"
        os.environ["MEDALLION_COMMIT"] = commit() or head  # for dbt's records and messages
        why = None
        if _git("status", "--porcelain"):
            why = "there are files here that are not committed"
        elif is_prod and not self.is_verified(head):
            why = f"staging has not verified {head[:8]}"
        elif is_prod and (newer := self.newer(head)):
            why = f"{head[:8]} is older than what is live, {newer[:8]}"
        if why and not self.override:
            raise click.ClickException(
                f"Not deployed: {why}. To deploy all the same: --override REASON"
            )
        if why:
            note = f"overridden, although {why}: {self.override}"
            click.echo(note[:1].upper() + note[1:])
            given = self.order.confirmation
            self.order = replace(self.order, confirmation=replace(given, notes=(note,)))

    def is_verified(self, commit: str) -> bool:
        """Whether staging had it live; what can't be asked is said, and is a no."""
        try:
            with plainly(), Session.open(self.target.replace("prod", "staging")) as staging:
                return staging.is_published(commit)
        except click.ClickException as error:
            error.show()
            return False

    def newer(self, head: str) -> str | None:
        """The commit that is live, if this one is before it: somebody ran an old job again."""
        with Session.open(self.target) as session:
            live = session.ledger.live()
        version = (live.code_version or "")[: len(head)] if live else ""
        return version if version != head and _is_ancestor(head, version) else None

    def extract(self) -> None:
        """In a process of its own, which has no use for dbt's memory."""
        self.begin("extract what has never landed")
        project = declared(manifest(self.target), self.target)
        missing = never_landed(project.specs, project.warehouse, wait=0)
        if missing:
            self.script("extract.py", "--missing")
        else:
            click.echo("Nothing: each table has landed.")

    def compile(self) -> None:
        self.begin("compile")
        self.compiled = self.project()
        if not self.dbt("compile"):
            sys.exit(1)

    def document(self) -> bool:
        """Of what was compiled: to compile it again takes longer than all the rest of it."""
        done = self.dbt("docs", "generate", "--no-compile")
        self.compiled.write(str(place().with_name("manifest.json")))
        return done

    def prune(self) -> bool:
        with Session.open(self.target) as session, session.alone(self.order.wait):
            dropped = session.prune()
        click.echo("Dropped " + ", ".join(dropped) if dropped else "Nothing to drop.")
        return True

    def tell(self) -> None:
        """Tells whoever listens what happened; never fails the deploy."""
        if place().exists():
            self.script("notify.py", "outcome", check=False)
        else:
            click.echo("Nothing was published.")

    # --- the small ones

    def project(self) -> Any:  # noqa: ANN401  # dbt's own Manifest
        """As it was parsed; a copy, because dbt leaves in it what it compiles."""
        copy = manifest(self.target).deepcopy()
        copy.build_parent_and_child_maps()
        return copy

    def dbt(self, *command: str) -> bool:
        return invoke(self.compiled, "--quiet", *command, target=self.target)

    def script(self, name: str, *arguments: str, check: bool = True) -> None:
        command = [sys.executable, f"scripts/{name}", *arguments, "--target", self.target]
        done = subprocess.run(command, cwd=ROOT, check=False)
        if check and done.returncode:
            sys.exit(done.returncode)

    def harmless(self, do: Callable[[], bool], otherwise: str) -> None:
        try:
            with plainly():
                done = do()
        except click.ClickException as error:
            error.show()
            done = False
        if not done:
            click.echo(otherwise)


def _is_ancestor(one: str, other: str) -> bool:
    """Whether a commit comes before another one; not if git does not know both of them here."""
    asked = ["git", "merge-base", "--is-ancestor", one, other]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode == 0


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(f"git: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    cli()
