"""What a reader of a SQL Server keeps from others while it reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from common.sqlserver import identifier
from databases import SQLSERVER, SqlServerDatabase, needs, temporary_sqlserver_database
from extraction.spec import TableSpec
from extraction.sqlserver.reader import SqlServerReader
from extraction_support import Shop, Silent, spec
from scripted_sqlserver import ScriptedServer

ITEM = spec(kind="sqlserver", from_=("dbo", "item"))
ROWS = 20_000


@pytest.mark.parametrize("has_snapshots", [True, False])
def test_the_reader_gives_way(has_snapshots: bool) -> None:
    """To whoever locks what it needs for a minute, and in a deadlock at once."""
    server = ScriptedServer(lambda _: [(int(has_snapshots),)])
    SqlServerReader(server, "source shop")
    settings = " ".join(server.said)
    assert "set lock_timeout 60000" in settings
    assert "set deadlock_priority low" in settings
    level = "snapshot" if has_snapshots else "read committed"
    assert f"set transaction isolation level {level}" in settings
    assert server.autocommit is not has_snapshots


class Locks(Silent):
    """Looks, from a session of its own, at what the reader has locked after each chunk."""

    def __init__(self, source: SqlServerDatabase) -> None:
        self._source = source
        self.modes: set[tuple[str, str]] = set()
        self.most = 0  # at once, below the table
        self.priorities: set[int] = set()

    def rows(self, spec: TableSpec, rows: int) -> None:
        program = f"medallion extract {spec.name}"
        with self._source.connect() as connection, closing(connection.cursor()) as asking:
            found = asking.execute(
                "select l.resource_type, l.request_mode from sys.dm_tran_locks as l "
                "inner join sys.dm_exec_sessions as s on s.session_id = l.request_session_id "
                "where s.program_name = ? and l.resource_database_id = db_id() "
                "and l.resource_type not in ('DATABASE', 'METADATA')",
                program,
            ).fetchall()
            sessions = asking.execute(
                "select deadlock_priority from sys.dm_exec_sessions where program_name = ?", program
            ).fetchall()
        self.modes |= {(kind, mode) for kind, mode in found}
        self.most = max(self.most, sum(kind != "OBJECT" for kind, _ in found))
        self.priorities |= {priority for (priority,) in sessions}


@pytest.mark.sqlserver
@pytest.mark.skipif(SQLSERVER not in os.environ, reason=f"needs a SQL Server: set {SQLSERVER}")
class TestOnAServer:
    @pytest.fixture
    def source(self) -> Iterator[SqlServerDatabase]:  # the one that the fixture `shop` takes
        with temporary_sqlserver_database("source", [None]) as database:
            needs(database, "sys.dm_tran_locks", "select top (1) 1 from sys.dm_tran_locks")
            database.execute("create table item (id int primary key, name nvarchar(200))")
            database.execute(
                "with n as (select 1 as n union all select n + 1 from n "
                f"where n < {ROWS}) insert into item "
                "select n, replicate(N'x', 200) from n option (maxrecursion 0)"
            )
            yield database

    def read(self, shop: Shop, source: SqlServerDatabase, *settings: str) -> Locks:
        name = identifier(source.name)
        for setting in settings:
            needs(source, setting, f"alter database {name} set {setting} with rollback immediate")
        locks = Locks(source)
        (result,) = shop.extract(ITEM, observer=locks)
        assert (result.error, result.rows) == (None, ROWS)
        assert locks.priorities == {-5}, "the reader's session was not seen, or does not give way"
        return locks

    def test_a_snapshot_locks_no_row(self, shop: Shop, source: SqlServerDatabase) -> None:
        locks = self.read(shop, source, "allow_snapshot_isolation on")
        assert {mode for _, mode in locks.modes} <= {"Sch-S"}

    def test_row_versions_without_snapshots_lock_no_row(
        self, shop: Shop, source: SqlServerDatabase
    ) -> None:
        locks = self.read(
            shop, source, "allow_snapshot_isolation off", "read_committed_snapshot on"
        )
        assert {mode for _, mode in locks.modes} <= {"Sch-S"}

    def test_read_committed_locks_the_row_that_it_reads(
        self, shop: Shop, source: SqlServerDatabase
    ) -> None:
        """And announces it on its page and table, or locks the page instead; never the table."""
        locks = self.read(
            shop, source, "allow_snapshot_isolation off", "read_committed_snapshot off"
        )
        of_the_table = {mode for kind, mode in locks.modes if kind == "OBJECT"}
        assert of_the_table <= {"IS", "Sch-S"}
        assert {mode for _, mode in locks.modes} <= {"IS", "S", "Sch-S"}
        assert locks.most <= 4
