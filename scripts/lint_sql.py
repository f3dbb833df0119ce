#!/usr/bin/env python
"""Runs sqlfluff, with its own commands and options, on SQL as dbt renders it for Postgres.

No server is asked: what dbt wants to know of relations is answered as an empty warehouse would,
so that the same file gives the same findings everywhere.
"""

from __future__ import annotations

import os
from typing import Any
from unittest.mock import patch

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt.adapters.postgres.impl import PostgresAdapter
from sqlfluff.cli.commands import cli

from common.project import ROOT


class Handle:
    """A connection of the driver on which nothing is ever sent."""

    closed = False

    def cursor(self) -> Any:  # noqa: ANN401
        raise RuntimeError(
            "A query runs while this file is rendered: keep queries out of what is compiled."
        )

    def rollback(self) -> None:
        """Nothing was written."""

    commit = close = rollback


def open_connection(connection: Connection) -> Connection:
    connection.handle = Handle()
    connection.state = ConnectionState.OPEN
    return connection


def main() -> None:
    os.chdir(ROOT)
    with (
        patch.object(PostgresConnectionManager, "open", staticmethod(open_connection)),
        patch.object(PostgresAdapter, "list_relations_without_caching", lambda *_: []),
        patch.object(PostgresAdapter, "_link_cached_relations", lambda *_: None),
    ):
        cli()


if __name__ == "__main__":
    main()
