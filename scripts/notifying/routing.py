"""Who is told: the channels of all, and those that a group names for what is its own.

A group of models/_groups.yml names its channels by a variable: `config: {meta: {notify: NAME}}`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from notifying.message import Message
from reporting.artifacts import Group, Manifest, Node
from reporting.problems import nearest_owned

EVERYTHING = "MEDALLION_NOTIFY_URLS"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Item = TypeVar("Item")


@dataclass(frozen=True)
class Announcement:
    """A message for the channels that a variable holds."""

    variable: str
    to: str  # in words
    message: Message


def answering(manifest: Manifest, node: Node) -> tuple[Group, ...]:
    """The groups that answer for a node: its own, or those whose owner its owner is."""
    owned = nearest_owned(manifest, node) or node
    if owned.group in manifest.groups:
        return (manifest.groups[owned.group],)
    return tuple(g for g in manifest.groups.values() if owned.owner and g.owner == owned.owner)


def in_words(groups: Sequence[Group], owner: str) -> str:
    """An owner and the address to write to."""
    email = next((group.email for group in groups if group.email), "")
    name = groups[0].owner if groups else owner
    return f"{name} ({email})" if email and email != name else name


def announcements(
    items: Iterable[tuple[Item, Sequence[Group]]],
    compose: Callable[[Sequence[Item]], Message],
    warn: Callable[[str], None],
) -> list[Announcement]:
    """A message of all for everybody, and one of what is theirs for each group with a channel."""
    every = list(items)
    found = [Announcement(EVERYTHING, "everybody", compose([item for item, _ in every]))]
    theirs: dict[str, list[Item]] = defaultdict(list)
    owners: dict[str, set[str]] = defaultdict(set)
    for item, groups in every:
        for variable in dict.fromkeys(_variables(groups, warn)):
            theirs[variable].append(item)
            owners[variable] |= {group.owner for group in groups if group.notify == variable}
    return found + [
        Announcement(variable, ", ".join(sorted(owners[variable])), compose(items))
        for variable, items in theirs.items()
        if variable != EVERYTHING
    ]


def _variables(groups: Sequence[Group], warn: Callable[[str], None]) -> Iterable[str]:
    for group in groups:
        if _VARIABLE.fullmatch(group.notify):
            yield group.notify
        elif group.notify:  # it may be an address with a token, so it isn't repeated
            warn(
                f"the group {group.name} names no variable in config.meta.notify: write the name "
                "of one there, and the addresses into the variable."
            )
