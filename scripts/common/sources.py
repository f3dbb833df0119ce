"""The URL of a source system, and the kind of system behind it."""

from __future__ import annotations

import os

from common.embedded_postgres import Cluster
from common.project import ROOT

DEMO_SOURCES = ROOT / "scripts" / "demo_sources"

_KINDS = {"mssql": "sqlserver", "sqlserver": "sqlserver", "http": "http", "https": "http"}


# What a source's variable holds, by kind.
EXAMPLES = {
    "postgres": "postgresql://user:password@host:port/database",
    "sqlserver": "sqlserver://user:password@host:port/database",
    "http": "https://host/path",
}


def kind_of(url: str) -> str:
    """The kind of system that a URL leads to: postgres, sqlserver or http."""
    return _KINDS.get(url.partition("://")[0].lower(), "postgres")


def source_url(source: str, variable: str, target: str) -> str | None:
    """The URL in the source's variable, or None if it is not set.

    On the target `dev` a source without URL is its demo database on this clone's embedded server,
    whatever its kind: extract.py serves that of an HTTP source as the API. No other target ever
    falls back to it.
    """
    if url := os.environ.get(variable):
        return url
    if target == "dev" and (DEMO_SOURCES / source).is_dir():
        return Cluster.of_clone(ROOT).url(source)
    return None
