"""The same day in, the same figures out: gold on SQL Server is gold on Postgres, row by row."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pyodbc
import pytest

import demo_sources
from commands import dbt, script
from common import postgres, sqlserver
from databases import (
    SQLSERVER,
    Database,
    SqlServerDatabase,
    temporary_database,
    temporary_sqlserver_database,
)
from demo_days import SCALE
from gold_comparison import Row, differences

# The tables of gold/operations hold what the warehouse's own runs took. On both they are built from
# the same records, those of the Postgres warehouse.
RUNS = "group:operations"
# The first build makes the incremental models, the second merges into them.
DAYS = 2
# Each warehouse numbers its batches as its tables happen to land.
NUMBERS = "_batch_id"


def compared(model: dict[str, Any]) -> list[str]:
    """The columns of a table that are to be the same in both."""
    return [name for name in model["columns"] if not name.endswith(NUMBERS)]


@dataclass(frozen=True)
class Warehouse:
    """One of the two, with a target folder of its own."""

    database: Database | SqlServerDatabase
    target: Path
    sources: dict[str, Database]

    @property
    def env(self) -> dict[str, str]:
        """The environment in which the target `dev`, or `dev_sqlserver`, is this warehouse."""
        engine = "dev" if isinstance(self.database, Database) else "dev_sqlserver"
        return {
            **self.database.env,
            **{f"{name.upper()}_URL": source.url for name, source in self.sources.items()},
            "MEDALLION_TARGET": engine,
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.target),
        }

    def land(self, moment: datetime) -> None:
        """Lands the sources as they are, at a moment that both warehouses share."""
        extracted = script("extract.py", env=self.env)
        assert extracted.returncode == 0, extracted.stderr
        tables = self.database.query(
            "select table_schema, table_name from information_schema.columns "
            "where column_name = '_loaded_at' and left(table_schema, 7) = 'landing'"
            if isinstance(self.database, Database)
            else "select schema_name(t.schema_id), t.name from sys.tables as t "
            "inner join sys.columns as c on c.object_id = t.object_id "
            "where c.name = '_loaded_at' and left(schema_name(t.schema_id), 7) = 'landing'"
        )
        assert tables
        for table in tables:
            self.database.execute(f"update {self.quoted(*table)} set _loaded_at = %s", [moment])

    def build(self, *options: str, record: bool) -> str | None:
        """Builds and tests; returns what dbt said if something failed."""
        built = dbt(
            *("build", "--exclude-resource-type", "unit_test", *options),
            env={**self.env, "MEDALLION_RECORD_RUNS": str(record).lower()},
        )
        return None if built.returncode == 0 else built.stdout

    def quoted(self, *names: str) -> str:
        if isinstance(self.database, Database):
            return postgres.identifier(*names)
        return sqlserver.identifier(*names)

    def rows(self, model: dict[str, Any]) -> list[Row]:
        """A table of gold; SQL Server's texts as UTF-16, whatever its code page is."""
        columns = []
        for name in compared(model):
            quoted = self.quoted(name)
            is_text = str(model["columns"][name]["data_type"]).startswith(("string", "varchar"))
            if is_text and isinstance(self.database, SqlServerDatabase):
                quoted = f"cast({quoted} as nvarchar(max)) as {quoted}"
            columns.append(quoted)
        return self.database.query(
            f"select {', '.join(columns)} from {self.quoted(model['schema'], model['name'])}"
        )


@dataclass(frozen=True)
class Both:
    """Both warehouses, built, and what failed on the way."""

    postgres: Warehouse
    sqlserver: Warehouse
    failures: dict[str, str]

    @property
    def gold(self) -> list[dict[str, Any]]:
        manifest = json.loads((self.sqlserver.target / "manifest.json").read_text())
        return [
            node
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model" and node["fqn"][1] == "gold"
        ]


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
        constraints = [
            *(c for c in model["constraints"] if c["type"] == "primary_key"),
            *(
                {"columns": [name]}
                for name, column in model["columns"].items()
                if any(c["type"] == "primary_key" for c in column["constraints"])
            ),
        ]
        if len(constraints) != 1:
            found.append(f"{model['name']} has no primary key, or two")
            continue
        try:
            ours, theirs = both.postgres.rows(model), both.sqlserver.rows(model)
        except (psycopg2.Error, pyodbc.Error) as error:
            found.append(f"{model['name']} can't be read: {error}")
            continue
        rows += len(ours)
        told = differences(compared(model), constraints[0]["columns"], ours, theirs)
        found.extend(f"{model['name']}: {difference}" for difference in told)
    assert not found, "first Postgres, second SQL Server\n" + "\n".join(found)
    assert rows > 1000


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
