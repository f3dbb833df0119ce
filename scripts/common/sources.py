"""The URL of a source system."""

from __future__ import annotations

import os

from common.embedded_postgres import Cluster
from common.project import ROOT

DEMO_SOURCES = ROOT / "scripts" / "demo_sources"


def source_url(source: str, variable: str, target: str) -> str | None:
    """The URL in the source's variable, or None if it is not set.

    On the target `dev` a source without URL is its demo database on this clone's embedded server.
    No other target ever falls back to it.
    """
    if url := os.environ.get(variable):
        return url
    if target == "dev" and (DEMO_SOURCES / source).is_dir():
        return Cluster.of_clone(ROOT).url(source)
    return None
