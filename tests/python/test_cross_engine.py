"""The same day in, the same figures out: gold on SQL Server is gold on Postgres, row by row."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import psycopg2
import pyodbc
import pytest

import demo_sources
from commands import dbt
from common import sqlserver
from cross_engine import Warehouse, compared, keys
from databases import (
    SQLSERVER,
    Database,
    SqlServerDatabase,
    temporary_database,
    temporary_sqlserver_database,
)
from demo_days import SCALE
from gold_comparison import differences

# The tables of gold/operations hold what the warehouse's own runs took. On both they are built from
# the same records, those of the Postgres warehouse.
RUNS = "group:operations"
# The first build makes the incremental models, the second merges into them.
DAYS = 2


@dataclass(frozen=True)
class Both:
    """Both warehouses, built, and what failed on the way."""

    postgres: Warehouse
    sqlserver: Warehouse
    failures: dict[str, str]

    @property
    def gold(self) -> list[dict[str, Any]]:
        return self.sqlserver.models("gold")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    if SQLSERVER not in os.environ:
        pytest.skip(f"needs a SQL Server: set {SQLSERVER}")
    today = datetime.now(timezone.utc)
    with ExitStack() as stack:
        sources = {
            name: stack.enter_context(temporary_database(name)) for name in demo_sources.SOURCES
        }
        for name, source in sources.items():
            demo_sources.build(source.url, name, SCALE, today)
        records = stack.enter_context(temporary_database("warehouse"))
        database = stack.enter_context(temporary_sqlserver_database("warehouse"))
        first = Warehouse(records, tmp_path_factory.mktemp("postgres"), sources)
        second = Warehouse(database, tmp_path_factory.mktemp("sqlserver"), sources)
        failures: dict[str, str] = {}
        for day in range(DAYS):
            if day:
                for name, source in sources.items():
                    demo_sources.tick(source.url, name)
            moment = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=1)
            for warehouse in (first, second):
                warehouse.land(moment)
                if said := warehouse.build("--exclude", RUNS, record=True):
                    failures[f"{warehouse.target.name}, day {day}"] = said
        _copy_records(records, database)
        for warehouse in (first, second):
            if said := warehouse.build("--select", RUNS, record=False):
                failures[f"{warehouse.target.name}, operations"] = said
        yield Both(first, second, failures)


def _copy_records(records: Database, database: SqlServerDatabase) -> None:
    """Replaces what was recorded of runs in a SQL Server warehouse by a Postgres warehouse's."""
    with database.connect() as connection:
        for (table,) in records.query("select tablename from pg_tables where schemaname = 'ops'"):
            names = [
                name
                for (name,) in records.query(
                    "select column_name from information_schema.columns "
                    "where table_schema = 'ops' and table_name = %s",
                    [table],
                )
            ]
            rows = [
                [_utc(value) for value in row]
                for row in records.query(f"select {', '.join(names)} from ops.{table}")
            ]
            ours = sqlserver.identifier("ops", table)
            connection.execute(f"delete from {ours}")
            if not rows:
                continue
            numbered = connection.execute(
                "select count(*) from sys.identity_columns where object_id = object_id(?)", ours
            ).fetchval()
            columns = ", ".join(map(sqlserver.identifier, names))
            marks = ", ".join("?" * len(names))
            if numbered:
                connection.execute(f"set identity_insert {ours} on")
            with connection.cursor() as cursor:
                cursor.executemany(f"insert into {ours} ({columns}) values ({marks})", rows)
            if numbered:
                connection.execute(f"set identity_insert {ours} off")


def _utc(value: Any) -> Any:  # noqa: ANN401
    is_moment = isinstance(value, datetime) and value.tzinfo
    return value.astimezone(timezone.utc).replace(tzinfo=None) if is_moment else value


@pytest.mark.sqlserver
def test_every_model_builds_and_no_test_of_it_fails_on_either_engine(both: Both) -> None:
    assert not both.failures, "\n\n".join(
        f"{name}:\n{said}" for name, said in both.failures.items()
    )


@pytest.mark.sqlserver
def test_every_table_of_gold_is_the_same_on_both_engines(both: Both) -> None:
    assert len(both.gold) > 30
    found, rows = [], 0
    for model in both.gold:
        if len(keys(model)) != 1:
            found.append(f"{model['name']} has no primary key, or two")
            continue
        try:
            ours, theirs = both.postgres.rows(model), both.sqlserver.rows(model)
        except (psycopg2.Error, pyodbc.Error) as error:
            found.append(f"{model['name']} can't be read: {error}")
            continue
        rows += len(ours)
        told = differences(compared(model), keys(model)[0], ours, theirs)
        found.extend(f"{model['name']}: {difference}" for difference in told)
    assert not found, "first Postgres, second SQL Server\n" + "\n".join(found)
    assert rows > 1000


@pytest.mark.sqlserver
def test_every_unit_test_passes_on_sqlserver(both: Both) -> None:
    ran = dbt("test", "--select", "test_type:unit", env=both.sqlserver.env)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.sqlserver
def test_sources_are_fresh_on_sqlserver(both: Both) -> None:
    looked = dbt("source", "freshness", env=both.sqlserver.env)
    assert looked.returncode == 0, looked.stdout


@pytest.mark.sqlserver
def test_every_table_of_gold_is_documented_on_sqlserver(both: Both) -> None:
    asked = dbt("docs", "generate", env=both.sqlserver.env)
    assert asked.returncode == 0, asked.stdout
    catalog = json.loads((both.sqlserver.target / "catalog.json").read_text())
    for model in both.gold:
        described = catalog["nodes"].get(model["unique_id"], {"columns": {}})["columns"]
        assert {name.lower() for name in described} == set(model["columns"]), model["name"]


def test_a_difference_is_told_by_table_column_and_key() -> None:
    columns, key = ["day", "id", "amount", "is_open"], ["day", "id"]
    day = datetime(2025, 3, 14).date()
    ours = [(day, 1, Decimal("1.50"), True), (day, 2, None, True), (day, 3, Decimal(0), False)]
    assert differences(columns, key, ours, list(reversed(ours))) == []
    theirs = [(day, 1, Decimal("1.5"), 1), (day, 2, Decimal(0), True), (day, 4, None, None)]
    assert differences(columns, key, ours, theirs) == [
        "1 keys are not in the second: (2025-03-14, 3)",
        "1 keys are not in the first: (2025-03-14, 4)",
        "amount differs in 1 of 3 rows: (2025-03-14, 2): None and Decimal('0')",
        "is_open differs in 1 of 3 rows: (2025-03-14, 1): True and 1",
    ]
    assert differences(columns, key, [ours[0], ours[0]], [ours[0]]) == [
        "key (2025-03-14, 1) is there twice"
    ]


def test_a_moment_is_the_same_in_every_zone_but_not_a_microsecond_later() -> None:
    moment = datetime(2025, 3, 14, 9, 26, 53, 589793)
    tokyo = moment.replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(hours=9)))
    assert differences(["id", "at"], ["id"], [(1, moment)], [(1, tokyo)]) == []
    later = moment + timedelta(microseconds=1)
    assert differences(["id", "at"], ["id"], [(1, moment)], [(1, later)])
