"""A connection to the warehouse of a dbt target, for the scripts that read it themselves."""

from __future__ import annotations

from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

from common import postgres
from common.dbt_project import DbtProjectError, warehouse_credentials


class WarehouseError(RuntimeError):
    """The warehouse cannot be reached; the message says what the server or the driver said."""


def open_warehouse(target: str | None = None) -> Any:  # noqa: ANN401  # the engine's DB-API connection
    """Opens the warehouse of a target (None: the profile's default), committing each statement.

    Raises WarehouseError if the profile is incomplete, the engine is not known here, or the server
    does not answer.
    """
    try:
        credentials = warehouse_credentials(target)
    except DbtProjectError as error:
        raise WarehouseError(str(error)) from None
    if credentials.type != "postgres":
        raise WarehouseError(f"scripts do not connect to {credentials.type} yet, only dbt does.")
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
