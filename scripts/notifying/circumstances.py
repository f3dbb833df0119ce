"""What the environment tells of this run: its commit, its author, and where to look at it."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Circumstances:
    """Each is empty where nobody says it."""

    commit: str
    author: str
    pipeline: str
    url: str


def circumstances() -> Circumstances:
    """Reads this project's own variables, or else those that GitHub Actions sets."""
    get = os.environ.get
    place = (get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID"))
    on_github = "{}/{}/actions/runs/{}".format(*place) if all(place) else ""
    return Circumstances(
        commit=get("MEDALLION_COMMIT") or get("GITHUB_SHA") or "",
        author=get("GITHUB_ACTOR") or "",
        pipeline=get("MEDALLION_PIPELINE") or "",
        url=get("MEDALLION_RUN_URL") or on_github,
    )
