"""What can't be read in a snapshot is read as it is committed, and the batch says so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import pyodbc
import pytest

from common import sqlserver
from common.sqlserver import SqlServerError, identifier
from databases import (
    SQLSERVER,
    SqlServerDatabase,
    needs,
    skip_for_want,
    temporary_sqlserver_database,
)
from extraction.errors import ExtractError, TransientError
from extraction.spec import TableSpec
from extraction.sqlserver.errors import HeldUpError, NoSnapshotError, translate
from extraction.sqlserver.reader import REFUSED, SqlServerReader
from extraction_support import Shop, cursor_spec, spec
from scripted_sqlserver import ScriptedServer

ON_A_SERVER = [
    pytest.mark.sqlserver,
    pytest.mark.skipif(SQLSERVER not in os.environ, reason=f"needs a SQL Server: set {SQLSERVER}"),
]
CONNECT = sqlserver.connect
MEMORY_OPTIMIZED = pyodbc.ProgrammingError(
    "42000",
    "[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Memory optimized tables and "
    "natively compiled modules cannot be accessed or created when the session TRANSACTION "
    "ISOLATION LEVEL is set to SNAPSHOT. (41332) (SQLExecDirectW)",
)


def test_an_error_falls_back_is_tried_again_or_stops_the_batch() -> None:
    def becomes(number: int) -> type[ExtractError]:
        return type(translate(SqlServerError("no", "42000", number), "source shop"))

    elsewhere = (3952, 3954, 3956, 3963, 3996, 7420)
    assert {becomes(number) for number in (*elsewhere, 41332)} == {NoSnapshotError}
    passing = (3953, 3957, 3958, 3961, 3966, 41301, 41839)
    assert {becomes(number) for number in passing} == {TransientError}
    assert {becomes(number) for number in (1205, 1222)} == {HeldUpError}
    for_good = (208, 229, 3955, 41359, 41368)
    assert {becomes(number) for number in for_good} == {ExtractError}


def test_a_view_that_no_level_can_read_is_told_what_helps() -> None:
    for number in (41359, 41368):
        error = translate(SqlServerError("no", "42000", number), "source shop")
        assert "memory_optimized_elevate_to_snapshot" in str(error)


def refusing(at: int) -> ScriptedServer:
    """A server whose table [item] no snapshot can have.

    It says so before the row of the number `at`; -1 is before any, with the statement itself.
    """

    def item() -> Iterator[Any]:
        for n in range(300):
            if n == at and not server.autocommit:
                raise MEMORY_OPTIMIZED
            yield (n,)

    def script(statement: str) -> Iterable[Any]:
        if "[item]" not in statement:
            return (
                [("id", False, "int", 4, 10, 0, False, None, None)]
                if "columns" in statement
                else [(1,)]
            )
        if at < 0 and not server.autocommit:
            raise MEMORY_OPTIMIZED
        return item()

    server = ScriptedServer(script)
    return server


def read(server: Any) -> tuple[SqlServerReader, int]:  # noqa: ANN401
    reader = SqlServerReader(server, "source shop")
    assert not server.autocommit
    rows: list[int] = []
    stream = reader.stream(table(), reader.columns(table()), None)
    sent = stream({})(lambda _, count: rows.append(count))
    assert sum(rows) == sent
    return reader, sent


@pytest.mark.parametrize("at", [-1, 0], ids=["by the statement", "by its first row"])
def test_a_refusal_leads_to_read_committed(at: int) -> None:
    server = refusing(at)
    reader, sent = read(server)
    assert (sent, server.autocommit) == (300, True)
    refused, *after = server.said[-4:]
    assert after == ["rollback", "set transaction isolation level read committed", refused]
    assert [warning.partition(" (")[0] for warning in reader.warnings] == [REFUSED]
    assert "Memory optimized tables" in reader.warnings[0]


def test_what_is_refused_after_rows_were_sent_stops_the_batch() -> None:
    """They can't be taken back, and must not be sent twice."""
    with pytest.raises(ExtractError, match="had been sent"):
        read(refusing(at=200))


@pytest.fixture
def source() -> Iterator[SqlServerDatabase]:  # the one that the fixture `shop` takes
    with temporary_sqlserver_database("source", [None]) as database:
        yield database


def table(**changes: Any) -> TableSpec:  # noqa: ANN401
    return spec(**{"kind": "sqlserver", "from_": ("dbo", "item"), **changes})


def cursor(**changes: Any) -> TableSpec:  # noqa: ANN401
    return cursor_spec(
        **{"kind": "sqlserver", "from_": ("dbo", "item"), "lookback": None} | changes
    )


def allow_snapshots(source: SqlServerDatabase) -> None:
    state = "select snapshot_isolation_state from sys.databases where database_id = db_id()"
    if source.scalar(state) != 1:
        name = identifier(source.name)
        needs(source, "snapshots", f"alter database {name} set allow_snapshot_isolation on")


class Refusing:
    """A real connection that takes no snapshot of the table [item]."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401
        self.__dict__["real"] = real

    def cursor(self) -> Any:  # noqa: ANN401
        return RefusingCursor(self.real, self.real.cursor())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.real, name, value)


class RefusingCursor:
    def __init__(self, connection: Any, real: Any) -> None:  # noqa: ANN401
        self._connection, self._real = connection, real

    def execute(self, statement: str, *parameters: object) -> Any:  # noqa: ANN401
        if "[item]" in statement and not self._connection.autocommit:
            raise MEMORY_OPTIMIZED
        return self._real.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._real, name)


class TestOnAServer:
    pytestmark = ON_A_SERVER

    def test_each_mode_lands_what_no_snapshot_can_have(
        self, shop: Shop, source: SqlServerDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        allow_snapshots(source)
        source.execute("create table item (id int primary key, updated_at int)")
        source.execute("insert into item values (1, 1), (2, 1)")
        monkeypatch.setattr("common.sqlserver.connect", lambda *a: Refusing(CONNECT(*a)))
        tables = [
            table(),
            cursor(deletes="soft", landing=("landing_shop", "by_cursor")),
            table(mode="compare", primary_key=("id",), landing=("landing_shop", "compared")),
        ]
        for each in tables:
            result = shop.load(each)
            assert result.rows == 2
            assert [warning.startswith(REFUSED) for warning in result.warnings] == [True]
        source.execute("delete from item where id = 1")
        assert shop.load(tables[1]).deleted == 1

    def test_a_view_of_a_database_without_snapshots_is_read(
        self, shop: Shop, source: SqlServerDatabase
    ) -> None:
        allow_snapshots(source)
        with temporary_sqlserver_database("other", [None]) as other:
            other.execute("create table elsewhere (id int primary key)")
            other.execute("insert into elsewhere values (1)")
            view = f"create view item as select id from {identifier(other.name)}.dbo.elsewhere"
            needs(source, "views of another database", view)
            result = shop.load(table())
        assert result.rows == 1
        if not any(warning.startswith(REFUSED) for warning in result.warnings):
            skip_for_want("passed, but this server has snapshots of any database")

    def test_a_memory_optimized_table_is_read(self, shop: Shop, source: SqlServerDatabase) -> None:
        allow_snapshots(source)
        folder = source.scalar(
            "select convert(nvarchar(260), serverproperty('InstanceDefaultDataPath'))"
        )
        name = identifier(source.name)
        needs(
            source,
            "memory-optimized tables",
            f"alter database {name} add filegroup memory contains memory_optimized_data; "
            f"alter database {name} add file (name = 'memory', "
            f"filename = '{folder}{source.name}_memory') to filegroup memory",
        )
        source.execute(
            "create table item (id int primary key nonclustered, updated_at int) "
            "with (memory_optimized = on, durability = schema_only)"
        )
        source.execute("insert into item values (1, 1)")
        result = shop.load(cursor(deletes="soft"))
        assert result.rows == 1
        assert [warning.startswith(REFUSED) for warning in result.warnings] == [True]
