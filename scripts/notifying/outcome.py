"""How a publish or a rollback ended: written by whoever publishes, read by whoever tells of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal, get_args

SCHEMA_VERSION = 1

Action = Literal["publish", "rollback"]
Change = Literal["new", "changed", "removed", "rebuilt", "unchanged code"]


class OutcomeError(ValueError):
    """The file is no outcome; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class ModelChange:
    """What happens to a model; rows as they are in live and in next, None where not known."""

    name: str
    change: Change
    rows_live: int | None = None
    rows_next: int | None = None


@dataclass(frozen=True)
class FailedTest:
    """A test that stopped a publish. `owner` is the name of a group in models/_groups.yml."""

    name: str
    model: str
    failures: int | None = None  # rows that break the rule; None if the test could not run
    query: str = ""  # the query, or the path of its compiled SQL
    owner: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a publish or a rollback ended.

    `generation` is what is live now if it succeeded, and else the one that was tried; `reason` says
    in one sentence why it did not succeed, or what failed besides. None means not known, or that
    there is none; a `live_generation` of 0 that nothing was ever published.
    """

    action: Action
    succeeded: bool | None
    environment: str
    target: str
    generation: int | None = None
    live_generation: int | None = None
    previous_generation: int | None = None
    commit: str | None = None
    author: str | None = None
    models: list[ModelChange] = field(default_factory=list)
    failures: list[FailedTest] = field(default_factory=list)
    reason: str | None = None
    publish_milliseconds: float | None = None
    lock_attempts: int | None = None
    seconds: float | None = None
    rollback_command: str | None = None
    run_url: str | None = None
    confirmations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self, path: Path) -> None:
        """Writes the outcome, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {"schema_version": SCHEMA_VERSION, **asdict(self)}
        written = path.with_name(f"{path.name}.writing")
        written.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        written.replace(path)

    @classmethod
    def from_json(cls, path: Path) -> Outcome:
        """Reads what `to_json` wrote; raises OutcomeError for anything else."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise OutcomeError(f"{path} cannot be read: {error.strerror}.") from None
        except ValueError:
            raise OutcomeError(f"{path} is not JSON: publish again to write it anew.") from None
        if not isinstance(document, dict) or document.pop("schema_version", None) != SCHEMA_VERSION:
            raise OutcomeError(f"{path} is no outcome of schema_version {SCHEMA_VERSION}.")
        try:
            document["models"] = [ModelChange(**one) for one in document.get("models", [])]
            document["failures"] = [FailedTest(**one) for one in document.get("failures", [])]
            outcome = cls(**document)
        except TypeError as error:  # it names the field that is missing, or one too many
            raise OutcomeError(f"{path} is no outcome: {error}.") from None
        parts: list[Outcome | ModelChange | FailedTest]
        parts = [outcome, *outcome.models, *outcome.failures]
        wrong = [name for part in parts for name in _wrong(part)]
        if wrong:
            raise OutcomeError(f"{path} is no outcome: {', '.join(wrong)} cannot be what it says.")
        return outcome


def _wrong(part: Outcome | ModelChange | FailedTest) -> list[str]:
    """The fields whose values, as read from JSON, are not what their annotations say."""
    return [one.name for one in fields(part) if not _fits(getattr(part, one.name), str(one.type))]


def _fits(value: object, annotation: str) -> bool:
    if annotation in _CHOICES:
        return value in _CHOICES[annotation]
    if annotation == "list[str]":
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    return any(isinstance(value, _KINDS.get(word, list)) for word in annotation.split(" | "))


_CHOICES = {"Action": get_args(Action), "Change": get_args(Change)}
_KINDS: dict[str, type | tuple[type, ...]] = {
    "bool": bool,
    "str": str,
    "int": int,
    "float": (int, float),
    "None": type(None),
}
