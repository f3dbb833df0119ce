"""Which of SQL Server's errors are worth another try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyodbc

from common.sqlserver import SqlServerError, explain
from extraction.errors import ExtractError, TransientError

# SQL Server's numbers of a lock timeout and of a deadlock.
HELD_UP = (1222, 1205)
# Can be read, but in no snapshot: what a view reads in another database that allows none (yet, or
# any more) or on another server, and memory-optimized tables.
NO_SNAPSHOT = (3952, 3954, 3956, 3963, 3996, 7420, 41332)
_TRANSIENT_STATES = ("08", "40001", "HYT00", "HYT01")
_TRANSIENT_NUMBERS = {
    1204,  # no locks left
    *(3953, 3957, 3960, 3961),  # a snapshot was overtaken
    *(3958, 3966),  # its rows' versions had to make room in tempdb
    *(41301, 41839),  # a row of a memory-optimized table was not yet committed for good
    *(233, 596, 10053, 10054, 10060),  # the connection was ended, by one side or on its way
    *(701, 802, 8645, 8651),  # out of memory for now
    *(6005, 17142, 18401, 18451),  # shutting down, paused, starting
    *(922, 4060),  # the database is recovering, or can't be opened yet
    *(4221, 10928, 10929, 40143, 40197, 40501, 40540, 40613, 49918, 49919, 49920),  # Azure
}
_REFUSED_FOR_GOOD = {18456, 18452, 18470, 18486, 18487, 18488}  # the login
# What the driver says of a server that it reached and does not trust.
_NEVER = ("certificate", "SSL routines", "Can't open lib", "Data source name not found")
_HINTS = {
    1105: "The database's files are full: make room and run again; nothing was lost.",
    9002: "The database's log is full: make room and run again; nothing was lost.",
    229: "Grant the user of the connection what is missing.",
    262: "Grant the user of the connection what is missing.",
    2760: "Grant the user of the connection what is missing.",
    **dict.fromkeys(
        (41359, 41368),
        "Let `alter database … set memory_optimized_elevate_to_snapshot on`, or the view say "
        "`with (snapshot)` after its memory-optimized tables.",
    ),
    3729: (
        "A table in mode full is replaced by each run, so nothing may be bound to it: "
        "build on bronze instead."
    ),
}


class HeldUpError(TransientError):
    """Somebody else has locked what a statement needs."""


class NoSnapshotError(ExtractError):
    """A statement that can't read in a snapshot what it reads."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns the driver's errors into ExtractError or TransientError that say from where."""
    try:
        yield
    except pyodbc.Error as error:
        raise translate(explain(error), where) from error
    except SqlServerError as error:
        raise translate(error, where) from error


def translate(error: SqlServerError, where: str) -> ExtractError:
    message = f"{where}: {error}"
    if hint := _HINTS.get(error.number):
        message += f" {hint}"
    if error.number in HELD_UP:
        return HeldUpError(message)
    if error.number in NO_SNAPSHOT:
        return NoSnapshotError(message)
    return TransientError(message) if is_transient(error) else ExtractError(message)


def is_transient(error: SqlServerError) -> bool:
    if error.number in _REFUSED_FOR_GOOD or any(words in str(error) for words in _NEVER):
        return False
    return error.number in _TRANSIENT_NUMBERS or error.state.startswith(_TRANSIENT_STATES)
