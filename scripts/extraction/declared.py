"""What the dbt project declares: which tables, from where, into which warehouse."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

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
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as child:
        return child.submit(_read_project, target).result()


def _read_project(target: str | None) -> Project:
    from common.dbt_project import DbtProjectError, manifest, target_name, warehouse_url

    try:
        return Project(target_name(target), warehouse_url(target), table_specs(manifest(target)))
    except DbtProjectError as error:
        raise ExtractError(str(error)) from None
