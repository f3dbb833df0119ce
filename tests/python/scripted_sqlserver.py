"""A connection to a SQL Server that says what a test wants it to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

# The rows that answer a statement; an error among them is raised when they are fetched so far.
Script = Callable[[str], Iterable[Any]]


class ScriptedServer:
    """What of a connection of pyodbc the extraction uses; `said` is what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.autocommit = True
        self.said: list[str] = []

    def cursor(self) -> ScriptedCursor:
        return ScriptedCursor(self)

    def rollback(self) -> None:
        self.said.append("rollback")

    def close(self) -> None: ...


class ScriptedCursor:
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._rows: Iterator[Any] = iter(())

    def execute(self, statement: str, *_: object) -> ScriptedCursor:
        self._server.said.append(statement)
        self._rows = iter(self._server.script(statement))
        return self

    def fetchmany(self, wanted: int) -> list[Any]:
        return list(islice(self._rows, wanted))

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def nextset(self) -> bool:
        return False

    def close(self) -> None: ...
