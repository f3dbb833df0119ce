"""A connection to SQL Server: the one place where the driver is spoken to, and its errors end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import pyodbc

from extraction.sqlserver.errors import NoSnapshotError, translated

Read = TypeVar("Read")


class Session:
    """Statements on one connection.

    Whatever the driver or the server says against one is an ExtractError, a TransientError or a
    HeldUpError, which says `where` it comes from.
    """

    def __init__(self, connection: pyodbc.Connection, where: str) -> None:
        self.connection = connection
        self._where = where
        self.refusal: NoSnapshotError | None = None  # of what is now read without a snapshot

    @contextmanager
    def cursor(self) -> Iterator[pyodbc.Cursor]:
        """A cursor; errors are translated in all of the block."""
        with translated(self._where):
            cursor = self.connection.cursor()
            try:
                yield cursor
            finally:
                with suppress(pyodbc.Error):  # of a connection that is lost: that is told already
                    cursor.close()

    def execute(self, statement: str, *parameters: object) -> None:
        """Executes statements, and waits for the last of them."""
        with self.cursor() as cursor:
            cursor.execute(statement, *parameters)
            while cursor.nextset():  # an error of a later statement waits behind the first's result
                pass

    def query(self, statement: str, *parameters: object) -> list[Any]:
        """The rows of a query."""

        def fetch() -> list[Any]:
            with self.cursor() as cursor:
                return list(cursor.execute(statement, *parameters).fetchall())

        return self.read(fetch)

    def scalar(self, statement: str, *parameters: object) -> Any:  # noqa: ANN401
        """The first value of a query's first row, None without rows."""
        rows = self.query(statement, *parameters)
        return rows[0][0] if rows else None

    @property
    def is_of_one_moment(self) -> bool:
        """Whether all that is read is."""
        return not self.connection.autocommit

    def read(self, fetch: Callable[[], Read]) -> Read:
        """What `fetch` reads; once more, and no longer of one moment, if no snapshot can have it.

        The server says so when a transaction comes to the table first: nothing was read of it yet.
        """
        try:
            return fetch()
        except NoSnapshotError as refusal:
            if not self.is_of_one_moment:
                raise
            self.refusal = refusal
        self.read_what_is_committed()
        return fetch()

    def read_one_moment(self) -> None:
        """From now on all that is read is of one moment, that of the first query to come."""
        self.execute("set transaction isolation level snapshot")
        with translated(self._where):
            self.connection.autocommit = False

    def read_what_is_committed(self) -> None:
        """From now on each statement ends by itself, so that no lock outlives it."""
        with translated(self._where):
            self.connection.rollback()
            self.connection.autocommit = True
        self.execute("set transaction isolation level read committed")

    def close(self) -> None:
        """Ends the connection, and takes back what was under way; also of one that is lost."""
        with suppress(pyodbc.Error):
            if self.is_of_one_moment:
                self.connection.rollback()
        with suppress(pyodbc.Error):
            self.connection.close()
