"""Opens readers and writers by the kind of engine: the one place that knows them all."""

from __future__ import annotations

import psycopg2.extensions
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from common.postgres import connect, parse
from common.sources import kind_of
from extraction.engine import Reader, Writer
from extraction.errors import ExtractError, TransientError
from extraction.http.reader import HttpReader
from extraction.postgres.errors import translated
from extraction.postgres.reader import PostgresReader
from extraction.postgres.types import DECLARED
from extraction.postgres.writer import WHERE, PostgresWriter
from extraction.spec import TableSpec


def open_reader(spec: TableSpec, url: str, wait: float) -> Reader:
    """Connects to a source; waits up to `wait` seconds for one that is still starting."""
    name = f"source {spec.source} ({spec.connection})"
    # By the URL, not by the declared kind: in the demo, SQL Server's tables are on Postgres.
    if kind_of(url) == "sqlserver":
        raise ExtractError(f"{name}: SQL Server can't be read yet.")
    if kind_of(url) == "http" and spec.http:
        return HttpReader(spec, spec.http, url, DECLARED, wait)
    return PostgresReader(_connect(name, url, f"medallion extract {spec.name}", wait), name)


def open_writer(url: str, wait: float) -> Writer:
    """Connects to the warehouse; waits up to `wait` seconds for it to start."""
    return PostgresWriter(lambda: _connect(WHERE, url, "medallion extract", wait))


def _connect(name: str, url: str, application: str, wait: float) -> psycopg2.extensions.connection:
    try:
        parse(url)
    except ValueError as error:
        raise ExtractError(f"{name}: {error}") from None
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_exponential_jitter(multiplier=0.2, max=5, jitter=0.2),
            stop=stop_after_delay(wait),
            reraise=True,
        ):
            with attempt, translated(name):
                return connect(url, application)
    except TransientError as error:
        raise ExtractError(f"{error} (after waiting for {wait:g} s)") from None
    raise AssertionError("tenacity returns or raises")
