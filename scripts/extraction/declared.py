"""What the dbt project declares: which tables, from where, into which warehouse."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from extraction.errors import ExtractError
from extraction.spec import TableSpec, table_specs


@dataclass(frozen=True)
class Project:
    """`warehouse` is a connection string: it may hold a password."""

    target: str
    warehouse: str
    specs: list[TableSpec]


def read_project(target: str | None) -> Project:
    """Has dbt read the project, in a process that is gone before the first row is read.

    dbt takes 100 MiB of memory that a load, which may run for hours, has no use for.
    Raises ExtractError with dbt's own message.
    """
    # A fork has imported what is here already; nothing but this thread runs yet. macOS' own
    # libraries don't bear it.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(1, mp_context=context) as child:
        return child.submit(_read_project, target).result()


def declared(manifest: Any, target: str | None) -> Project:  # noqa: ANN401  # dbt's own Manifest
    """What a manifest of the project declares; raises DbtProjectError, and ExtractError."""
    from common.dbt_project import target_name, warehouse_url

    return Project(target_name(target), warehouse_url(target), table_specs(manifest))


def _read_project(target: str | None) -> Project:
    from common.dbt_project import DbtProjectError, manifest

    try:
        return declared(manifest(target), target)
    except DbtProjectError as error:
        raise ExtractError(str(error)) from None
