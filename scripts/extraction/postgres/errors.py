"""Which of Postgres' errors are worth another try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errorcodes

from extraction.errors import ExtractError, TransientError

_TRANSIENT_CLASSES = {
    errorcodes.CLASS_CONNECTION_EXCEPTION,
    errorcodes.CLASS_TRANSACTION_ROLLBACK,  # serialization failure, deadlock, recovery conflict
}
_TRANSIENT_CODES = {
    errorcodes.ADMIN_SHUTDOWN,
    errorcodes.CRASH_SHUTDOWN,
    errorcodes.CANNOT_CONNECT_NOW,
    errorcodes.TOO_MANY_CONNECTIONS,
    errorcodes.LOCK_NOT_AVAILABLE,
    errorcodes.OBJECT_IN_USE,
    errorcodes.IDLE_SESSION_TIMEOUT,
    errorcodes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
}
# A connection that was never made has no code, only libpq's words.
_REFUSED_FOR_GOOD = (
    "password authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "certificate",
    "does not support SSL",  # "SSL" alone is also said of a connection that was lost
    "sslmode",
    "permission denied",
    "could not translate host name",
)
_HINTS = {
    errorcodes.DISK_FULL: "The server's disk is full: make room and run again; nothing was lost.",
    errorcodes.INSUFFICIENT_PRIVILEGE: "Grant the role of the connection what is missing.",
    errorcodes.DEPENDENT_OBJECTS_STILL_EXIST: (
        "A table in mode full is replaced by each run, so nothing may be built on it: "
        "build on bronze instead."
    ),
    errorcodes.CHARACTER_NOT_IN_REPERTOIRE: (
        "The source holds bytes that are no valid text in its encoding: mend the row there, or "
        "leave the column out with `exclude`."
    ),
    errorcodes.UNTRANSLATABLE_CHARACTER: "Leave the column out with `exclude`, or mend the row.",
}


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns psycopg2's errors into ExtractError or TransientError that say where they come from."""
    try:
        yield
    except psycopg2.Error as error:
        raise translate(error, where) from error


def translate(error: psycopg2.Error, where: str) -> ExtractError:
    text = " ".join(str(error).split())
    message = f"{where}: {text}"
    if hint := _HINTS.get(error.pgcode or ""):
        message += f" {hint}"
    return TransientError(message) if is_transient(error) else ExtractError(message)


def is_transient(error: psycopg2.Error) -> bool:
    code = error.pgcode
    if code:
        return code[:2] in _TRANSIENT_CLASSES or code in _TRANSIENT_CODES
    if isinstance(error, psycopg2.InterfaceError):
        return True  # the connection was closed under us
    if not isinstance(error, psycopg2.OperationalError | psycopg2.DatabaseError):
        return False
    text = str(error)
    if "temporary failure in name resolution" in text.lower():
        return True
    return not any(words in text for words in _REFUSED_FOR_GOOD)
