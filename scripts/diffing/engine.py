"""What the engines spell differently when relations are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from common.warehouse import dialect
from diffing.compared import Relation
from diffing.relation import Column, Table

Cursor = Any  # a DB-API cursor
GROUPED_LENGTH = 200  # characters of a text that is grouped by


class Engine(Protocol):
    count: str  # of rows, as a number that can't overflow
    differences: str  # the temporary table of the rows that differ

    def quote(self, *parts: str) -> str: ...

    def literal(self, value: str) -> str: ...

    def inspect(self, cursor: Cursor, relation: Relation) -> Table | None:
        """None if there is no such table or view."""

    def differ(self, pairs: Sequence[tuple[str, str]]) -> str:
        """The condition that two lists of expressions differ, null being equal to null."""

    def fingerprint(self, columns: Sequence[Column]) -> str | None:
        """An aggregate that two relations share when they hold the same rows, and else do not."""

    def store(self, with_: str, columns: str, source: str) -> str:
        """The statement that selects into the temporary table."""

    @contextmanager
    def session(self, cursor: Cursor) -> Iterator[None]:
        """Within it the temporary table may be made; afterwards nothing is left."""


def engine_of(connection: Any) -> Engine:  # noqa: ANN401  # a DB-API connection
    from diffing.postgres import Postgres
    from diffing.sqlserver import SqlServer

    return Postgres() if dialect(connection).name == "postgres" else SqlServer()
