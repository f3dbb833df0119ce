"""The roles of scripts/sqlserver: each can do its work on a SQL Server, and no more."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlglot
import yaml

from common import ops
from common.project import ROOT
from databases import SQLSERVER, Database, SqlServerDatabase, temporary_sqlserver_database
from extraction_support import Shop, spec
from sqlserver_roles import SCRIPTS, SOURCE, WAREHOUSE, Login, login, make_roles


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SqlServerDatabase]:
    if SQLSERVER not in os.environ:
        pytest.skip(f"needs a SQL Server: set {SQLSERVER}")
    with temporary_sqlserver_database("roles") as database:
        make_roles(database, WAREHOUSE, times=2)  # again after adding a source
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
        make_roles(database, WAREHOUSE)
        with (
            login(database, role) as member,
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
        ):
            process.submit(_make_ops, member).result()
            assert member.may("select environment from ops.environment") == [True]


@pytest.mark.sqlserver
def test_a_view_of_the_transformer_reads_no_more_than_it_may_itself(
    warehouse: SqlServerDatabase,
) -> None:
    warehouse.execute("exec('create schema hr')")
    warehouse.execute("create table hr.salaries (id int)")
    warehouse.execute("exec('create view dbt.peek as select id from hr.salaries')")
    with login(warehouse, "transformer") as member:
        assert member.may(
            "exec('create view dbt.own as select 1 as id')",
            "select id from dbt.own",
            "select id from dbt.peek",
            "exec('create view dbo.peek as select id from hr.salaries')",
        ) == [True, True, False, False]


@pytest.mark.sqlserver
def test_the_loader_gives_rights_again_on_a_table_that_it_replaces(
    warehouse: SqlServerDatabase, source: Database
) -> None:
    table = spec(landing=("landing_pagila", "item"))
    with login(warehouse, "loader") as member, login(warehouse) as analyst:
        shop = Shop(source, member)
        for column in ("a", "b"):
            source.execute(f"drop table if exists item; create table item as select 1 as {column}")
            shop.load(table)
            if column == "a":
                warehouse.execute(f"grant select on landing_pagila.item to {analyst.user}")
        assert analyst.may("select b from landing_pagila.item") == [True]


@pytest.mark.sqlserver
def test_the_role_of_a_source_reads_it_and_cannot_change_a_row(
    warehouse: SqlServerDatabase,
) -> None:
    with temporary_sqlserver_database("source") as source:
        source.execute("exec('create schema secret')")
        for table in ("dbo.orders", "secret.salaries"):
            source.execute(f"create table {table} (id int)")
        make_roles(source, SOURCE)
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


def test_nobody_may_change_what_is_of_dbo() -> None:
    code = re.sub(r"--.*", "", WAREHOUSE)
    assert not re.search(r"\bdbo\b", code), "whose views and triggers read all that is of dbo"


def test_every_source_has_its_landing_schema_in_the_roles() -> None:
    declared = set()
    for path in (ROOT / "models" / "bronze").glob("*/*__sources.yml"):
        for source in yaml.safe_load(path.read_text())["sources"]:
            declared.add(source["schema"])
    named = set(re.findall(r"\('(landing_\w+)', 'medallion_loader'\)", WAREHOUSE))
    assert named == {name for name in declared if name.startswith("landing_")}


def test_every_layer_belongs_to_the_transformer_and_so_does_the_schema_of_the_target() -> None:
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    targets = yaml.safe_load((ROOT / "profiles.yml").read_text())["medallion"]["outputs"]
    own = {targets[f"{environment}_sqlserver"]["schema"] for environment in ("staging", "prod")}
    layers = {layer["+schema"] for layer in project["models"]["medallion"].values()}
    layers |= {project[kind]["medallion"]["+schema"] for kind in ("seeds", "snapshots")}
    named = set(re.findall(r"\('(\w+)', 'medallion_transformer'\)", WAREHOUSE))
    assert named == layers | own
