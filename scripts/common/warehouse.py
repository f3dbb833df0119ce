"""A connection to the warehouse of a dbt target, for the scripts that read it themselves.

Their SQL is what both engines share. What differs is said here, once: `dialect(connection)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2.extensions import make_dsn

from common import postgres, sqlserver
from common.dbt_project import DbtProjectError, warehouse_credentials


class WarehouseError(RuntimeError):
    """The warehouse cannot be reached; the message says what the server or the driver said."""


@dataclass(frozen=True)
class Dialect:
    """What the engines spell differently.

    `now` and `today` are of the warehouse's clock, in UTC, `today` as a day's first moment. A
    statement `insert into … (…) {output} values (…) {returning}` tells the new row's key when both
    are filled in with it.
    """

    name: str
    now: str
    today: str
    output: str
    returning: str
    lock_timeout: str  # takes milliseconds
    find: str  # the function that is null if there is no relation of a name
    placeholder: str = "%s"

    def execute(self, cursor: Any, statement: str, parameters: Sequence[object] = ()) -> Any:  # noqa: ANN401
        """Executes a statement whose parameters are written as %s; returns the cursor."""
        cursor.execute(statement.replace("%s", self.placeholder), list(parameters))
        return cursor


_POSTGRES = Dialect(
    name="postgres",
    now="clock_timestamp()",
    today="date_trunc('day', now(), 'UTC')",
    output="",
    returning="returning {}",
    lock_timeout="set lock_timeout = {}",
    find="to_regclass",
)
_SQLSERVER = Dialect(
    name="sqlserver",
    now="sysutcdatetime()",
    today="cast(cast(sysutcdatetime() as date) as datetime2(6))",
    output="output inserted.{}",
    returning="",
    lock_timeout="set lock_timeout {}",
    find="object_id",
    placeholder="?",
)


def dialect(connection: Any) -> Dialect:  # noqa: ANN401  # a DB-API connection or cursor
    """What the engine of a connection, or of a cursor, spells in its own way."""
    is_postgres = type(connection).__module__.startswith("psycopg2") or isinstance(
        connection, psycopg2.extensions.connection | psycopg2.extensions.cursor
    )
    return _POSTGRES if is_postgres else _SQLSERVER


def errors() -> tuple[type[Exception], ...]:
    """What is raised when a warehouse can't be reached, or refuses a statement."""
    try:
        import pyodbc
    except ImportError:  # its libraries are missing: then nobody is connected through it
        return (WarehouseError, psycopg2.Error)
    return (WarehouseError, psycopg2.Error, pyodbc.Error)


def open_warehouse(target: str | None = None) -> Any:  # noqa: ANN401  # the engine's DB-API connection
    """Opens the warehouse of a target (None: the profile's default), committing each statement.

    Raises WarehouseError if the profile is incomplete, the engine is not known here, or the server
    does not answer.
    """
    try:
        credentials = warehouse_credentials(target)
    except DbtProjectError as error:
        raise WarehouseError(str(error)) from None
    if credentials.type == "sqlserver":
        return _open_sqlserver(credentials)
    if credentials.type != "postgres":
        raise WarehouseError(f"scripts do not connect to {credentials.type}, only dbt does.")
    options = {
        "host": credentials.host,
        "port": credentials.port,
        "user": credentials.user,
        "password": credentials.password,
        "dbname": credentials.database,
        "sslmode": credentials.sslmode,
        "sslcert": credentials.sslcert,
        "sslkey": credentials.sslkey,
        "sslrootcert": credentials.sslrootcert,
    }
    try:
        dsn = make_dsn(
            **{name: value for name, value in options.items() if value not in (None, "")}
        )
        connection = postgres.connect(dsn, "medallion")
        if credentials.role:
            with connection.cursor() as cursor:
                cursor.execute(f"set role {postgres.identifier(credentials.role)}")
    except psycopg2.Error as error:
        raise WarehouseError(str(error).strip()) from None
    return connection


def _open_sqlserver(credentials: Any) -> Any:  # noqa: ANN401
    from dbt_common.exceptions import DbtBaseException

    try:
        return sqlserver.connect_as_dbt(credentials, "medallion")
    except (sqlserver.SqlServerError, DbtBaseException) as error:
        raise WarehouseError(str(error).strip()) from None
