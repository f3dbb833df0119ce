"""A cursor of Postgres that pulls the plug at the nth statement of its process.

Faults: `none`; `kill` is kill -9 of this process before the statement; `drop` ends the connection
that is about to be used, at the server; `lost-answer` closes it after the statement was carried
out; `cut` breaks it while the statement is being carried out, which the server doesn't notice.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from itertools import count
from typing import Any

import psycopg2
import psycopg2.extensions


class Statements:
    """The statements of this process, counted."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.done = 0

    def next(self) -> int:
        """The number of the statement that is about to be executed."""
        self.done = next(self._numbers)
        return self.done


statements = Statements()


def faulty_cursor(fault: str, at: int, url: str) -> type[psycopg2.extensions.cursor]:
    """A class of cursors with this fault at the statement of this number; `url` is the server's."""

    class Faulty(psycopg2.extensions.cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: ANN401
            self._run(lambda: super(Faulty, self).execute(query, vars))

        def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:  # noqa: ANN401
            self._run(lambda: super(Faulty, self).copy_expert(sql, file, size))

        def _run(self, call: Callable[[], None]) -> None:
            is_struck = statements.next() == at
            if is_struck and fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if is_struck and fault == "drop":
                with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
                    cursor.execute(
                        "select pg_terminate_backend(%s, 5000)", [self.connection.info.backend_pid]
                    )
            if is_struck and fault == "cut":
                wire = socket.socket(fileno=os.dup(self.connection.fileno()))
                threading.Timer(0.1, wire.shutdown, [socket.SHUT_RDWR]).start()
            call()
            if is_struck and fault == "lost-answer":
                self.connection.close()
                raise psycopg2.OperationalError("the answer was lost on its way")

    return Faulty
