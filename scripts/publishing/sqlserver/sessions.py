"""Who holds what: asked of views that a login may be forbidden to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pyodbc

from common.sqlserver import explain, identifier

Place = tuple[str, str]
Query = Callable[..., list[tuple[Any, ...]]]

# Missing VIEW SERVER STATE, VIEW SERVER PERFORMANCE STATE (2022) or VIEW DATABASE STATE (Azure).
_FORBIDDEN = {229, 262, 297, 300, 371}
_UNKNOWN = "sessions that only a login with VIEW SERVER STATE can name"

# When a session began to do what it does now, in UTC; the server's view has its own time.
_SINCE = (
    "convert(varchar(16), dateadd(minute, datediff(minute, sysdatetime(), sysutcdatetime()), "
    "{}), 120)"
)
_WHO = (
    "s.session_id, s.login_name, coalesce(s.program_name, ''), s.status, "
    f"{_SINCE.format('s.last_request_start_time')}"
)
# Transactions under snapshot isolation that began before so many seconds. Our own loads read no
# gold.
_SNAPSHOTS = f"""
select {_WHO}
from sys.dm_tran_active_snapshot_database_transactions as t
inner join sys.dm_exec_sessions as s on s.session_id = t.session_id
where t.is_snapshot = 1 and s.database_id = db_id() and s.session_id <> @@spid
    and t.elapsed_time_seconds >= datediff(second, cast(? as datetime2(6)), sysutcdatetime())
    and coalesce(s.program_name, '') not like 'medallion extract%'
"""
_HOLDERS = """
select distinct {}
from sys.dm_tran_locks as l
inner join sys.dm_exec_sessions as s on s.session_id = l.request_session_id
where l.resource_type = 'OBJECT' and l.resource_database_id = db_id()
    and l.request_status = 'GRANT' and l.request_session_id <> @@spid
    and l.resource_associated_entity_id in ({})
"""
# A lock's description has the first 32 letters of its name.
_LOCK_HOLDER = f"""
select {_WHO}
from sys.dm_tran_locks as l
inner join sys.dm_exec_sessions as s on s.session_id = l.request_session_id
where l.resource_type = 'APPLICATION' and l.resource_database_id = db_id()
    and l.request_status = 'GRANT' and charindex(?, l.resource_description) > 0
"""


def snapshots_before(query: Query, moment: Any) -> list[str]:  # noqa: ANN401
    """Transactions that see the database as it was then; none if that can't be known."""
    return [_said(*row) for row in _allowed(query, _SNAPSHOTS, moment) or []]


def holders(query: Query, places: Iterable[Place]) -> list[str]:
    """Sessions that hold a lock on one of these relations."""
    found = _on(query, places, _WHO)
    return [_UNKNOWN] if found is None else [_said(*row) for row in found]


def numbers(query: Query, places: Iterable[Place]) -> list[int] | None:
    """Their numbers; None if they can't be known."""
    found = _on(query, places, "s.session_id")
    return None if found is None else [int(number) for (number,) in found]


def lock_holder(query: Query, name: str) -> str:
    """Who has an application lock."""
    found = _allowed(query, _LOCK_HOLDER, f":[{name[:32]}]:")
    if found is None:
        return "somebody whom only a login with VIEW SERVER STATE can name"
    return _said(*found[0]) if found else "somebody who is gone by now"


def _on(query: Query, places: Iterable[Place], what: str) -> list[tuple[Any, ...]] | None:
    names = [identifier(*place) for place in places]
    listed = ", ".join(["(?)"] * len(names))
    ids = names and query(
        f"select object_id(name) from (values {listed}) as places (name) "
        "where object_id(name) is not null",
        *names,
    )
    if not ids:
        return []
    return _allowed(query, _HOLDERS.format(what, ", ".join(str(number) for (number,) in ids)))


def _allowed(query: Query, statement: str, *values: object) -> list[tuple[Any, ...]] | None:
    try:
        return query(statement, *values)
    except pyodbc.Error as error:
        if explain(error).number in _FORBIDDEN:
            return None
        raise


def _said(number: int, login: str, program: str, status: str, since: str) -> str:
    # Not what it runs, which may hold data.
    return f"session {number}: {login} ({program or 'no name'}), {status} since {since} UTC"
