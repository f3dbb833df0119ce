"""One real Postgres for the whole run, and a cheap database of its own for each test."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import parsed
from common.embedded_postgres import Cluster
from databases import (
    PGHOST,
    SQLSERVER,
    Database,
    drop_empty_databases,
    temporary_database,
    temporary_sqlserver_database,
)
from extraction_support import Shop

# Programs are started hundreds of times, and are compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_cluster: Cluster | None = None
_parsed: str | None = None

# The files that take long start first, so that no worker is left with one at the end.
LONG = [
    *("cross_engine", "sources_on_sqlserver", "sqlserver_roles_at_work"),
    *("deploy", "workflow_steps", "figures", "refresh", "operations", "demo", "extract_http"),
    *("extract_faults", "real_data", "extract_command", "notify", "rhythms", "pre_commit"),
    *("publish_faults", "publish_under_load", "install", "report", "rows_in_flight"),
    *("tsql_gate", "portable_sql"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    names = {f"test_{name}": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: names.get(item.path.stem, len(names)))


def pytest_configure(config: pytest.Config) -> None:
    """The first process starts the server; the workers of pytest-xdist inherit its address."""
    global _cluster, _parsed  # noqa: PLW0603
    if parsed.FOLDER in os.environ or config.option.collectonly:
        return
    _parsed = os.environ[parsed.FOLDER] = tempfile.mkdtemp(prefix="medallion-parsed-")
    if config.option.markexpr == "unit":
        os.environ[PGHOST] = _parsed  # where no server is
    elif PGHOST not in os.environ:
        _cluster = Cluster.temporary()
        _cluster.start(
            {
                "fsync": "off",
                "full_page_writes": "off",
                "checkpoint_timeout": "1h",
                "max_connections": "200",
                "logging_collector": "off",
            }
        )
        os.environ[PGHOST] = str(_cluster.socket_dir)


def pytest_unconfigure() -> None:
    drop_empty_databases()
    if _cluster is not None:
        _cluster.remove()
        os.environ.pop(PGHOST, None)
    if _parsed is not None:
        shutil.rmtree(_parsed, ignore_errors=True)
        os.environ.pop(parsed.FOLDER, None)


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    """What dbt knows of the project, as in manifest.json."""
    found: dict[str, Any] = json.loads((parsed.whole_project() / "manifest.json").read_text())
    return found


@pytest.fixture
def warehouse(request: pytest.FixtureRequest) -> Iterator[Any]:
    """An empty database to land and build in: on Postgres, unless a test asks for SQL Server."""
    if getattr(request, "param", "postgres") == "postgres":
        with temporary_database("warehouse") as database:
            yield database
        return
    if SQLSERVER not in os.environ:
        pytest.skip(f"needs a SQL Server: set {SQLSERVER}")
    with temporary_sqlserver_database("warehouse") as database:
        yield database


@pytest.fixture
def source() -> Iterator[Database]:
    """An empty database to extract from."""
    with temporary_database("source") as database:
        yield database


@pytest.fixture
def make_database() -> Iterator[Callable[[str], Database]]:
    """Makes as many databases as a test needs."""
    with ExitStack() as stack:
        yield lambda prefix: stack.enter_context(temporary_database(prefix))


@pytest.fixture
def shop(source: Database, warehouse: Database) -> Shop:
    """A source `shop` and a warehouse to extract it into."""
    return Shop(source, warehouse)
