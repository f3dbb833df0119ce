"""The roles of scripts/sqlserver: each can do its work on a SQL Server, and no more."""

from __future__ import annotations

import multiprocessing
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import pyodbc
import pytest
import sqlglot
import yaml

from common import ops
from common.project import ROOT
from databases import SQLSERVER, SqlServerDatabase, temporary_sqlserver_database

SCRIPTS = ROOT / "scripts" / "sqlserver"
WAREHOUSE = (SCRIPTS / "warehouse_roles.sql").read_text()
SOURCE = (SCRIPTS / "source_role.sql").read_text()


@dataclass(frozen=True)
class Login(SqlServerDatabase):
    """A database, seen by a login of its own."""

    user: str
    password: str

    @property
    def url(self) -> str:
        parts = urlsplit(super().url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{self.user}:{quote(self.password)}@{host}"))

    def may(self, *statements: str) -> list[bool]:
        """Which statements the login may execute.

        In a process of its own, because the sessions that a pool keeps hold on to the login.
        """
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            return process.submit(_allowed, self, statements).result()


def _allowed(login: Login, statements: Sequence[str]) -> list[bool]:
    allowed = []
    for statement in statements:
        try:
            login.execute(statement)
        except pyodbc.Error as error:
            assert re.search(r"permission|denied|privilege", str(error)), error
            allowed.append(False)
        else:
            allowed.append(True)
    return allowed


@contextmanager
def login(database: SqlServerDatabase, role: str) -> Iterator[Login]:
    """A login that is a member of a role, gone afterwards."""
    user, password = f"medallion_{secrets.token_hex(6)}", f"Aa1!{secrets.token_hex(12)}"
    database.execute(f"create login {user} with password = '{password}'")
    try:
        database.execute(f"create user {user} for login {user}")
        database.execute(f"alter role medallion_{role} add member {user}")
        yield Login(database.name, user, password)
        database.execute(f"drop user {user}")
    finally:
        database.execute(f"drop login {user}")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SqlServerDatabase]:
    if SQLSERVER not in os.environ:
        pytest.skip(f"needs a SQL Server: set {SQLSERVER}")
    with temporary_sqlserver_database("roles") as database:
        for _ in range(2):  # again after adding a source
            database.execute(WAREHOUSE)
        for table in ("landing_pagila.film", "silver.stg", "gold.dim_film", "ops.batches"):
            database.execute(f"create table {table} (id int)")
        yield database


@pytest.mark.sqlserver
@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("loader", {"land", "record"}),
        ("transformer", {"read landing", "build", "record", "read gold"}),
        ("reader", {"read gold"}),
    ],
)
def test_a_role_can_do_its_work_and_no_more(
    warehouse: SqlServerDatabase, role: str, allowed: set[str]
) -> None:
    work = {
        "land": "insert into landing_pagila.film values (1)",
        "read landing": "select id from landing_pagila.film",
        "build": "insert into silver.stg values (1)",
        "read gold": "select id from gold.dim_film",
        "spoil gold": "delete from gold.dim_film",
        "record": "insert into ops.batches values (1)",
    }
    expected = allowed | ({"read landing"} if role == "loader" else set())
    expected |= {"spoil gold"} if role == "transformer" else set()
    with login(warehouse, role) as member:
        may = dict(zip(work, member.may(*work.values()), strict=True))
    assert {name for name, is_allowed in may.items() if is_allowed} == expected


def _make_ops(login: Login) -> None:
    with login.connect() as connection, closing(connection.cursor()) as cursor:
        ops.ensure_tables(cursor)


@pytest.mark.sqlserver
@pytest.mark.parametrize("role", ["loader", "transformer"])
def test_a_role_makes_the_tables_that_it_records_in(
    warehouse: SqlServerDatabase, role: str
) -> None:
    with temporary_sqlserver_database("ops") as database:
        database.execute(WAREHOUSE)
        with (
            login(database, role) as member,
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
        ):
            process.submit(_make_ops, member).result()
            assert member.may("select environment from ops.environment") == [True]


@pytest.mark.sqlserver
def test_the_role_of_a_source_reads_it_and_cannot_change_a_row(
    warehouse: SqlServerDatabase,
) -> None:
    with temporary_sqlserver_database("source") as source:
        source.execute("exec('create schema secret')")
        for table in ("dbo.orders", "secret.salaries"):
            source.execute(f"create table {table} (id int)")
        source.execute(SOURCE)
        with login(source, "extractor") as reader:
            assert reader.may(
                "select id from dbo.orders",
                "insert into dbo.orders values (1)",
                "select id from secret.salaries",
            ) == [True, False, False]


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sql")), ids=lambda path: path.name)
def test_a_script_is_plain_t_sql_and_gives_no_more_than_it_names(script: Path) -> None:
    text = script.read_text()
    assert sqlglot.parse(text, read="tsql")
    assert not re.search(r"(?im)^\s*go\s*$", text), "only sqlcmd knows it"
    code = re.sub(r"--.*", "", text)
    assert not re.search(r"(?i)\bcontrol\b|\bdb_owner\b|\bsysadmin\b|to public\b|password", code)


def test_every_source_has_its_landing_schema_in_the_roles() -> None:
    declared = set()
    for path in (ROOT / "models" / "bronze").glob("*/*__sources.yml"):
        for source in yaml.safe_load(path.read_text())["sources"]:
            declared.add(source["schema"])
    named = set(re.findall(r"\('(landing_\w+)', 'medallion_loader'\)", WAREHOUSE))
    assert named == {name for name in declared if name.startswith("landing_")}


def test_every_layer_belongs_to_the_transformer() -> None:
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    layers = {layer["+schema"] for layer in project["models"]["medallion"].values()}
    layers |= {project[kind]["medallion"]["+schema"] for kind in ("seeds", "snapshots")}
    named = set(re.findall(r"\('(\w+)', 'medallion_transformer'\)", WAREHOUSE))
    assert named == layers
