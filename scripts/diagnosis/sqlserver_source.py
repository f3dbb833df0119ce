"""A source on SQL Server: does it answer, may its tables be read, and how consistently."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from common import sqlserver
from common.sqlserver import SqlServerError, identifier, literal
from diagnosis.connection import remedy
from diagnosis.finding import Finding, ok, problem, warning
from extraction.errors import redact
from extraction.spec import TableSpec
from extraction.sqlserver.changes import IS_WRITTEN_TO

LOGIN_TIMEOUT = 10


def check_sqlserver_source(check: str, url: str, tables: Sequence[TableSpec]) -> Finding:
    variable = tables[0].connection
    try:
        address = sqlserver.parse(url)
    except ValueError as error:
        return problem(check, f"{variable} {error}", f"Write {variable} as .env.example shows.")
    try:
        unreadable, has_snapshots, tracked, hidden = _look(url, tables)
    except SqlServerError as error:
        text = redact(str(error), address.password)
        return problem(check, text, remedy(f"{error.state} {error.number} {text}", "sqlserver"))
    if unreadable:
        cure = "Grant select on them to this user, or mend the names in the source's YAML."
        return problem(check, f"{address} cannot read {', '.join(unreadable)}", cure)
    found = f"{address}: {len(tables)} tables can be read"
    if tracked:
        found += f", {tracked} with change tracking"
    if hidden:
        cure = "Grant `view change tracking` on them; they are read by their cursors until then."
        return warning(check, f"{found}, which {hidden} of them don't show to this user", cure)
    if has_snapshots:
        return ok(check, f"{found}, in snapshots")
    statement = f"alter database {identifier(address.database)} set allow_snapshot_isolation on"
    cure = f"`{statement}` lets each table be read as it is at one moment."
    return warning(check, f"{found}, in read committed: the database allows no snapshots", cure)


def _look(url: str, tables: Sequence[TableSpec]) -> tuple[list[str], bool, int, int]:
    """The tables that can't be read, whether there are snapshots, how many tables are tracked,
    and of how many of these the changes can't be seen.
    """
    connection = sqlserver.connect(url, "medallion", login_timeout=LOGIN_TIMEOUT)
    names = {".".join(table.from_): literal(identifier(*table.from_)) for table in tables}
    listed = ", ".join(f"has_perms_by_name({name}, 'OBJECT', 'SELECT')" for name in names.values())
    ids = ", ".join(f"object_id({name})" for name in names.values())
    with closing(connection), closing(connection.cursor()) as cursor:
        try:
            may = cursor.execute(f"select {listed}").fetchone()
            (state,) = cursor.execute(
                "select snapshot_isolation_state from sys.databases where database_id = db_id()"
            ).fetchone()
            tracked = cursor.execute(
                f"select object_id from sys.change_tracking_tables where object_id in ({ids}) "
                f"and {IS_WRITTEN_TO}"
            ).fetchall()
            hidden = [
                id_
                for (id_,) in tracked
                if cursor.execute(f"select change_tracking_min_valid_version({id_})").fetchval()
                is None
            ]
        except Exception as error:  # pyodbc's, which may not be importable here
            raise sqlserver.explain(error) from None
    unreadable = sorted(name for name, is_allowed in zip(names, may, strict=True) if not is_allowed)
    return unreadable, state == 1, len(tracked), len(hidden)
