"""What a publish asks a confirmation for, where it has readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from publishing.engine import Engine
from publishing.errors import PublishError
from publishing.names import next_of
from publishing.planning import REBUILT, Plan, is_gold

REBUILD, REMOVAL, DIFF = "rebuild", "removal", "diff"
CONFIRMABLE = (REBUILD, REMOVAL, DIFF)
# Where somebody reads what is published.
ENVIRONMENTS = ("prod", "staging")


@dataclass(frozen=True)
class Confirmation:
    """What somebody takes upon himself, and why."""

    things: frozenset[str] = frozenset()
    why: str = ""
    notes: tuple[str, ...] = ()  # whatever else belongs to the log

    def words(self) -> list[str]:
        return [*(f"{thing} confirmed: {self.why}" for thing in sorted(self.things)), *self.notes]


def check_plan(plan: Plan, environment: str, confirmation: Confirmation) -> None:
    """Asks before anything is built, which may take an hour. Raises PublishError."""
    rebuilt = [f"{one.name} is built from nothing" for one in plan.builds if one.history == REBUILT]
    _check(REBUILD, rebuilt, environment, confirmation)
    read = [
        f"{one.name} is removed and read by {', '.join(one.readers)}"
        for one in plan.removed
        if one.readers
    ]
    _check(REMOVAL, read, environment, confirmation)


def check_rows(
    engine: Engine,
    manifest: Any,  # noqa: ANN401
    plan: Plan,
    beyond: Sequence[str],
    environment: str,
    confirmation: Confirmation,
) -> None:
    """Asks before a model of gold loses all its rows, or more than its limits. Raises PublishError.

    `beyond` says which limits a diff has passed.
    """
    found = [*_empty(engine, manifest, plan), *beyond]
    _check(DIFF, found, environment, confirmation)


def _empty(engine: Engine, manifest: Any, plan: Plan) -> list[str]:  # noqa: ANN401
    there = engine.kinds({one.schema for one in plan.builds})
    found = []
    for one in plan.builds:
        live, next_ = (one.schema, one.identifier), (next_of(one.schema), one.identifier)
        node = manifest.nodes.get(one.unique_id)
        is_read = node is not None and is_gold(node) and live in there
        if is_read and engine.has_rows(live) and not engine.has_rows(next_):
            found.append(f"{one.name} is empty, and is not in live")
    return found


def _check(thing: str, found: Sequence[str], environment: str, confirmation: Confirmation) -> None:
    if found and environment in ENVIRONMENTS and thing not in confirmation.things:
        raise PublishError(
            f"Not published: {'; '.join(found)}. If that is meant, run again with "
            f'--confirm {thing} --why "…".'
        )
