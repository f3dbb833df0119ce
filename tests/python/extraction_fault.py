"""Extracts one table and pulls the plug before its nth statement; run as a process of its own.

Arguments of each run: <source URL> <warehouse URL> <spec as JSON> <fault> <n>

Faults as in faulty_cursor.py; on SQL Server also `refused` and `lock-timeout`, which are what a
server says instead of carrying out the statement. Prints how the batch ended, how many statements
there were, and the memory it took.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2.extensions
import pyodbc

from common import postgres, sqlserver
from extraction import engines
from extraction.http.settings import HttpSettings
from extraction.run import Options, extract
from extraction.spec import TableSpec
from extraction_support import Silent
from faulty_cursor import faulty_cursor, statements
from forks import serve

# As Microsoft's driver tells it; `set xact_abort on` takes the transaction back.
_ANSWERS = {
    "refused": (pyodbc.ProgrammingError, "42000", "The SELECT permission was denied. (229)"),
    "lock-timeout": (
        *(pyodbc.OperationalError, "HYT00"),
        "Lock request time out period exceeded. (1222)",
    ),
}


class FaultyConnection:
    """The same faults for SQL Server: pyodbc's own classes can't be derived from."""

    def __init__(self, connection: Any, fault: str, at: int, url: str) -> None:  # noqa: ANN401
        self.real = connection
        self.fault, self.at, self.url = fault, at, url

    def cursor(self) -> FaultyCursor:
        return FaultyCursor(self, self.real.cursor())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.real, name)


class FaultyCursor:
    def __init__(self, connection: FaultyConnection, cursor: Any) -> None:  # noqa: ANN401
        self._connection = connection
        self._cursor = cursor

    def __enter__(self) -> FaultyCursor:
        return self

    def __exit__(self, *error: object) -> None:
        self._cursor.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._cursor, name)

    def execute(self, *arguments: Any) -> Any:  # noqa: ANN401
        is_struck = statements.next() == self._connection.at
        fault, real = self._connection.fault, self._connection.real
        if is_struck and fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if is_struck and fault == "drop":
            with closing(real.cursor()) as cursor:
                number = cursor.execute("select @@spid").fetchval()
            with closing(SQLSERVER_CONNECT(self._connection.url, "fault")) as other:
                other.execute(f"kill {number}")
        if is_struck and fault in _ANSWERS:
            self._cursor.execute("if @@trancount > 0 rollback transaction")
            kind, state, said = _ANSWERS[fault]
            driver = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"
            raise kind(state, f"[{state}] {driver}{said} (SQLExecDirectW)")
        done = self._cursor.execute(*arguments)
        if is_struck and fault == "lost-answer":
            real.close()
            raise pyodbc.OperationalError("08S01", "the answer was lost on its way")
        return done


SQLSERVER_CONNECT = sqlserver.connect


def main(source: str, warehouse: str, declared: str, fault: str, at: str) -> None:
    def connect(url: str, application_name: str) -> psycopg2.extensions.connection:
        connection = postgres.connect(url, application_name)
        connection.cursor_factory = faulty_cursor(fault, int(at), url)
        return connection

    def connect_sqlserver(url: str, application_name: str) -> FaultyConnection:
        connection = SQLSERVER_CONNECT(url, application_name)
        return FaultyConnection(connection, fault, int(at), url)

    # The seams that this program exists for.
    setattr(engines, "connect", connect)  # noqa: B010
    setattr(sqlserver, "connect", connect_sqlserver)  # noqa: B010
    fields: dict[str, Any] = json.loads(declared)
    for name in ("from_", "landing", "primary_key"):
        fields[name] = tuple(fields[name])
    fields["exclude"] = frozenset(fields["exclude"])
    if fields["http"]:
        fields["http"] = HttpSettings(**fields["http"])
    spec = TableSpec(**fields)
    options = Options(warehouse, {"shop": source}, wait=10, backoff=0.01)
    (result,) = extract([spec], options, Silent(), lambda result: None)
    ended = {"status": result.status, "error": result.error, "statements": statements.done}
    print(json.dumps({**ended, "peak_mib": peak_mib()}))


def peak_mib() -> float:
    """The most memory that this program held; what it was started from does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes, on macOS


if __name__ == "__main__":
    serve(main)
