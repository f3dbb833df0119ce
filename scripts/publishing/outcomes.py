"""How a publish or a rollback ended, as notify.py tells it: target/outcome.json."""

from __future__ import annotations

import getpass
import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from common.environment import environment_of
from common.project import ROOT, TARGET
from common.warehouse import errors
from diffing import ModelDiff
from notifying.outcome import FailedTest, ModelChange, Outcome
from publishing.building import Result
from publishing.generations import Ledger
from publishing.planning import Plan
from publishing.publisher import Published

# After a commit: what was built had changes beside it, or was only a selection of it.
DIRTY, PARTIAL = "-dirty", "-partial"

_CHANGES = {"new": "new", "changed": "changed", "downstream": "rebuilt", "refreshed": "rebuilt"}


@dataclass
class Outcomes:
    """Writes the outcomes of one command on a target; `option` is how that was asked for."""

    ledger: Ledger | None  # None if the warehouse can't be reached
    target: str
    option: str | None
    started: float = field(default_factory=time.monotonic)
    failed_before: Sequence[str] = ()  # commands that did not keep a build from being published

    def expect(self, action: str, generation: int, **told: Any) -> None:  # noqa: ANN401
        """Writes what is so if it ends before anybody has learnt how the publish ended."""
        reason = "It ended while it became live, before the warehouse had said whether it is."
        self.write(action, generation, succeeded=None, reason=reason, **told)

    def write(
        self,
        action: str,
        generation: int | None,
        *,
        succeeded: bool | None = False,
        published: Published | None = None,
        previous: int | None = None,
        **told: Any,  # noqa: ANN401
    ) -> Outcome:
        """Writes how it ended; it succeeded if it was `published`, which needs no warehouse."""
        if published and self.failed_before:
            failed = ", ".join(self.failed_before)
            told["reason"] = f"{failed} failed before it: the log says why."
        outcome = Outcome(
            action=action,  # type: ignore[arg-type]
            succeeded=published is not None or succeeded,
            environment=environment_of(self.target),
            target=self.target,
            generation=generation,
            live_generation=generation if published else self._live(),
            previous_generation=previous,
            commit=commit(),
            author=author(),
            publish_milliseconds=round(published.milliseconds, 1) if published else None,
            lock_attempts=published.attempts if published else None,
            seconds=round(time.monotonic() - self.started, 1),
            rollback_command=self._way_back(previous) if published else None,
            run_url=run_url(),
            **told,
        )
        return self.save(outcome)

    def settle(self, reason: str) -> Outcome:
        """Makes true what the run that has ended early wrote, if it did: it may be live by then."""
        told = Outcome.from_json(place()) if place().exists() else None
        if told is None or told.target != self.target:
            return self.write("publish", None, reason=reason)
        if told.succeeded is None and self.ledger:
            with suppress(*errors()):
                self.ledger.wait(milliseconds=3000)
                live = self.ledger.live_number()
                is_live = live == told.generation
                told = replace(told, succeeded=is_live, live_generation=live, reason=reason)
        if told.succeeded:
            back = self._way_back(told.previous_generation)
            told = replace(told, reason=told.reason or reason, rollback_command=back)
        return self.save(told)

    def save(self, outcome: Outcome) -> Outcome:
        outcome.to_json(place())
        return outcome

    def _live(self) -> int | None:
        """The live generation; None if the warehouse can't say."""
        with suppress(*errors()):
            return self.ledger.live_number() if self.ledger else None
        return None

    def _way_back(self, previous: int | None) -> str | None:
        on_target = f" --target {self.option}" if self.option else ""
        command = f".venv/bin/python scripts/blue_green.py rollback{on_target} --to {previous}"
        return command if previous else None

    def write_failed(self, result: Result) -> Outcome:
        """The outcome of a build that didn't pass."""
        worst = result.failures[0]
        return self.write(
            "publish",
            result.number,
            reason=f"{len(result.failures)} failed, first {worst.name}: {worst.message}",
            failures=[
                FailedTest(
                    name=one.name,
                    model=one.model or one.name,
                    failures=one.failures,
                    query=one.compiled or "",
                    owner=one.owner or "",
                )
                for one in result.failures
            ],
        )


def place() -> Path:
    """Where the outcome is written."""
    return Path(os.environ.get("DBT_TARGET_PATH", TARGET)) / "outcome.json"


def model_changes(plan: Plan, diffs: Sequence[ModelDiff]) -> list[ModelChange]:
    """What became of each model, with its rows where they were counted."""
    rows = {diff.name: (diff.rows_live, diff.rows_next) for diff in diffs}
    return [
        *(
            ModelChange(
                one.name,
                _CHANGES[one.change],  # type: ignore[arg-type]
                *rows.get(one.name, (None, None)),
            )
            for one in plan.builds
        ),
        *(ModelChange(one.name, "removed") for one in plan.removed),
    ]


def commit() -> str | None:
    """The commit of the project, with a word after it if not all that is here is committed.

    What a job says counts only where git knows none: it may be of another time.
    """
    if head := _git("rev-parse", "HEAD"):
        return head + DIRTY if _git("status", "--porcelain") else head
    return os.environ.get("MEDALLION_COMMIT") or os.environ.get("GITHUB_SHA")


def author() -> str | None:
    """Who does this: the actor of the job, or the user of the machine."""
    with suppress(KeyError, OSError):  # a user without a name, as in some containers
        return os.environ.get("GITHUB_ACTOR") or getpass.getuser()
    return None


def run_url() -> str | None:
    """The page of the job, where there is one."""
    if given := os.environ.get("MEDALLION_RUN_URL"):
        return given
    parts = [os.environ.get(f"GITHUB_{one}") for one in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
