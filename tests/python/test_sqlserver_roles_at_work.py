"""The project's own commands on a SQL Server, each by a login that has the role for it and no more.

What administrators do is done by them: databases, roles, logins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pyodbc
import pytest

import demo_sources
import sqlserver_copy
from common import sqlserver
from databases import (
    SQLSERVER,
    SqlServerDatabase,
    skip_for_want,
    temporary_database,
    temporary_sqlserver_database,
)
from demo_days import SCALE
from project_copy import ProjectCopy
from sqlserver_roles import SOURCE, WAREHOUSE, Login, login, make_roles

pytestmark = [
    pytest.mark.sqlserver,
    pytest.mark.skipif(SQLSERVER not in os.environ, reason=f"needs a SQL Server: set {SQLSERVER}"),
]

TARGET = "staging_sqlserver"
FACT, DAILY = "fact_customer_transaction", "metrics_daily_transactions"
END = "select * from final"


@dataclass
class Office:
    """A source and a warehouse on SQL Server, the project, and those who work with them."""

    source: SqlServerDatabase
    warehouse: SqlServerDatabase
    project: ProjectCopy
    loader: Login
    transformer: Login
    reader: Login
    guest: Login

    def as_(self, who: Login) -> ProjectCopy:
        """The project, whose commands reach the warehouse by this login."""
        own = {
            name.replace("DEV_", "STAGING_"): value
            for name, value in who.env.items()
            if "DEV_MSSQL" in name
        }
        return replace(self.project, env={**self.project.env, **own})

    def deploy(self) -> str:
        return self.as_(self.transformer).deploy(TARGET)

    def rows(self, relation: str) -> Any:  # noqa: ANN401
        return self.warehouse.scalar(f"select count(*) from {relation}")

    def owners(self, schema: str) -> set[str]:
        """Those of the tables and views in a schema."""
        return {
            owner
            for (owner,) in self.warehouse.query(
                "select user_name(objectproperty(object_id, 'OwnerId')) from sys.objects "
                "where type in ('U', 'V') and schema_name(schema_id) = %s",
                [schema],
            )
        }


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Landed by the loader from what the extractor reads."""
    with ExitStack() as stack:
        source, warehouse = (
            stack.enter_context(temporary_sqlserver_database(name))
            for name in ("shop", "warehouse")
        )
        demo = stack.enter_context(temporary_database("storefront"))
        demo_sources.build(demo.url, "storefront", SCALE)
        sqlserver_copy.copy(demo, source)
        make_roles(source, SOURCE)
        make_roles(warehouse, WAREHOUSE)
        extractor = stack.enter_context(login(source, "extractor"))
        loader, transformer, reader, guest = (
            stack.enter_context(login(warehouse, *roles))
            for roles in (["loader"], ["transformer"], ["reader"], [])
        )
        folder = tmp_path_factory.mktemp("roles")
        env = {**os.environ, "MEDALLION_TARGET": TARGET, "STOREFRONT_URL": extractor.url}
        project = ProjectCopy.of(folder, "storefront", env)
        # A test server signs its own certificate.
        project.replace("profiles.yml", "trust_cert: false", "trust_cert: true")
        project.commit()
        office = Office(source, warehouse, project, loader, transformer, reader, guest)
        for program in ("mark_environment.py", "extract.py"):
            office.as_(loader).script(program)
        yield office


@pytest.fixture(scope="module")
def built(office: Office) -> Office:
    """Built and tested in place by the transformer."""
    office.as_(office.transformer).dbt("build")
    return office


@pytest.fixture(scope="module")
def live(built: Office) -> Office:
    """Published by the transformer, and then again with a change."""
    try:
        built.warehouse.execute("create table silver.probe (id int)")
        built.warehouse.execute("alter schema gold transfer silver.probe")
        built.warehouse.execute("drop table gold.probe")
    except pyodbc.Error as error:
        skip_for_want(f"this server can't move objects: {sqlserver.explain(error)}")
    assert "LIVE g1" in built.deploy()
    built.warehouse.execute(f"grant select on gold.{DAILY} to [{built.guest.user}]")
    built.project.replace(f"models/gold/storefront/{FACT}.sql", END, "-- a comment\n" + END)
    built.project.commit()
    assert "LIVE g2" in built.deploy()
    return built


def test_the_loader_lands_what_the_extractor_reads(office: Office) -> None:
    for table in ("customers", "transactions"):
        at_source = office.source.scalar(f"select count(*) from dbo.{table}")
        assert office.rows(f"landing_storefront.{table} where _deleted_at is null") == at_source > 0
    office.source.execute("update dbo.customers set phone = '1' where customer_id = 1")
    office.source.execute(
        "delete from dbo.transactions where transaction_id = "
        "(select max(transaction_id) from dbo.transactions)"
    )
    office.as_(office.loader).script("extract.py")
    assert office.rows("landing_storefront.customers where customer_id = 1 and phone = '1'") == 1
    assert office.rows("landing_storefront.transactions where _deleted_at is not null") > 0
    office.as_(office.loader).script("extract.py", "--full-refresh")
    assert office.owners("landing_storefront") == {"medallion_loader"}


def test_the_transformer_builds_tests_and_documents(built: Office) -> None:
    assert built.rows(f"gold.{FACT}") > 0
    work = built.as_(built.transformer)
    work.dbt("build")  # upon what is there
    work.dbt("source", "freshness")
    work.dbt("docs", "generate")
    catalog = json.loads((built.project.folder / "target" / "catalog.json").read_text())
    assert f"model.medallion.{FACT}" in catalog["nodes"]
    assert catalog["sources"]["source.medallion.storefront.transactions"]["columns"]
    for schema in ("bronze", "silver", "gold", "seeds"):
        assert built.owners(schema) == {"medallion_transformer"}
    assert not built.owners("dbt"), "what a test makes is dropped"
    recorded = built.warehouse.query("select distinct status from ops.dbt_invocations")
    assert recorded == [("succeeded",)]


def test_readers_read_gold_and_nothing_else(built: Office) -> None:
    closed = ["landing_storefront.customers", "bronze.br_storefront__customers", "ops.publishes"]
    closed += ["silver.stg_storefront__customers"]
    asked = [f"select top 1 1 from {relation}" for relation in (f"gold.{FACT}", *closed)]
    spoilt = f"delete from gold.{FACT} where 1 = 0"
    assert built.reader.may(*asked, spoilt) == [True, False, False, False, False, False]


def test_the_transformer_publishes_and_readers_read_on(live: Office) -> None:
    kept = f"select top 1 1 from gold__g1.{FACT}"
    daily = f"select top 1 1 from gold.{DAILY}"
    assert live.reader.may(f"select top 1 1 from gold.{FACT}", daily, kept) == [True, True, False]
    # Given on the table alone, which moved: the publish has given it again.
    assert live.guest.may(daily, f"select top 1 1 from gold.{FACT}") == [True, False]
    for schema in ("gold", "gold__g1"):
        assert live.owners(schema) == {"medallion_transformer"}
    live.as_(live.transformer).script("blue_green.py", "rollback", "--to", "1")
    assert live.reader.may(f"select top 1 1 from gold.{FACT}", daily) == [True, True]
    assert live.guest.may(daily) == [True]
    live.as_(live.transformer).script("blue_green.py", "rollback", "--to", "2")
    live.as_(live.transformer).script("blue_green.py", "prune", "--keep", "0")
    assert not live.owners("gold__g1")


def test_a_refresh_is_the_work_of_one_login_with_both_roles(live: Office) -> None:
    with login(live.warehouse, "loader", "transformer") as etl:
        live.as_(etl).script("refresh.py")
    assert live.reader.may(f"select top 1 1 from gold.{FACT}") == [True]
