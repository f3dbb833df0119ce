"""What a slim build leaves in a folder for those who tell of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

SUMMARY, DIFF, COMMENT = "slim.json", "diff.md", "comment.md"
# What the build writes among dbt's artifacts, and is copied from there.
OF_RUN = ("run_results.json", "outcome.json")
ARTIFACTS = (*OF_RUN, "manifest.json")


@dataclass(frozen=True)
class Slim:
    """How a slim build went; `seconds` is all of it, the base not included."""

    target: str
    base: str  # the commit; empty if everything was built, for the reason in `whole`
    whole: str
    models: tuple[tuple[str, str, str], ...]  # unique_id, schema.name, why it was built
    removed: tuple[str, ...]
    failed: tuple[str, ...]  # commands
    seconds: float

    def write(self, folder: Path) -> None:
        (folder / SUMMARY).write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Slim | None:
        """What was written there; None if nothing was."""
        try:
            found = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        lists = {name: tuple(found[name]) for name in ("removed", "failed")}
        return cls(**{**found, **lists, "models": tuple(tuple(one) for one in found["models"])})
