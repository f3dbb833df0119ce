"""Opens readers and writers by the kind of engine: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import psycopg2.extensions
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from common import sqlserver
from common.postgres import connect, parse
from common.sources import kind_of
from extraction.engine import Reader, Writer
from extraction.errors import ExtractError, TransientError
from extraction.http.reader import HttpReader
from extraction.postgres import types
from extraction.postgres.errors import translated
from extraction.postgres.reader import PostgresReader
from extraction.postgres.writer import WHERE, PostgresWriter
from extraction.spec import TableSpec

if TYPE_CHECKING:
    import pyodbc

Connection = TypeVar("Connection")


def open_reader(spec: TableSpec, url: str, wait: float, warehouse: str = "postgres") -> Reader:
    """Connects to a source; waits up to `wait` seconds for one that is still starting.

    `warehouse` is the kind of system that it reads for: postgres or sqlserver.
    """
    name = f"source {spec.source} ({spec.connection})"
    # By the URL, not by the declared kind: in the demo, SQL Server's tables are on Postgres.
    if kind_of(url) == "sqlserver":
        # pyodbc needs libraries that a machine without SQL Server may lack.
        from extraction.sqlserver.reader import SqlServerReader

        connection = _connect_sqlserver(name, url, f"medallion extract {spec.name}", wait)
        return SqlServerReader(connection, name, warehouse)
    if kind_of(url) == "http" and spec.http:
        return HttpReader(spec, spec.http, url, _declared(warehouse), wait)
    connection = _connect(name, url, f"medallion extract {spec.name}", wait)
    return PostgresReader(connection, name, warehouse)


def open_writer(url: str, wait: float) -> Writer:
    """Connects to the warehouse; waits up to `wait` seconds for it to start."""
    if kind_of(url) == "sqlserver":
        # pyodbc needs libraries that a machine without SQL Server may lack.
        from extraction.sqlserver.writer import SqlServerWriter

        return SqlServerWriter(lambda: _connect_sqlserver(WHERE, url, "medallion extract", wait))
    return PostgresWriter(lambda: _connect(WHERE, url, "medallion extract", wait))


def _declared(warehouse: str) -> dict[str, str]:
    """How each `data_type` of the YAML lands."""
    if warehouse == "sqlserver":
        from extraction.sqlserver import landing_types

        return landing_types.DECLARED
    return types.DECLARED


def _connect(name: str, url: str, application: str, wait: float) -> psycopg2.extensions.connection:
    try:
        parse(url)
    except ValueError as error:
        raise ExtractError(f"{name}: {error}") from None

    def open_() -> psycopg2.extensions.connection:
        with translated(name):
            return connect(url, application)

    return _when_it_answers(open_, wait)


def _connect_sqlserver(name: str, url: str, application: str, wait: float) -> pyodbc.Connection:
    try:
        sqlserver.parse(url)
    except ValueError as error:
        raise ExtractError(f"{name}: {error}") from None

    def open_() -> pyodbc.Connection:
        from extraction.sqlserver.errors import translated as translated_sqlserver

        with translated_sqlserver(name):
            return sqlserver.connect(url, application)

    return _when_it_answers(open_, wait)


def _when_it_answers(open_: Callable[[], Connection], wait: float) -> Connection:
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_exponential_jitter(multiplier=0.2, max=5, jitter=0.2),
            stop=stop_after_delay(wait),
            reraise=True,
        ):
            with attempt:
                return open_()
    except TransientError as error:
        raise ExtractError(f"{error} (after waiting for {wait:g} s)") from None
    raise AssertionError("tenacity returns or raises")
