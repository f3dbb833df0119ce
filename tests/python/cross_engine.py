"""Warehouses that are to hold the same, whatever their engine or that of their sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from commands import dbt, script
from common import postgres, sqlserver
from databases import Database, SqlServerDatabase
from gold_comparison import Row

# Each warehouse numbers its batches as its tables happen to land.
NUMBERS = "_batch_id"


def compared(model: dict[str, Any]) -> list[str]:
    """The columns of a table that are to be the same in both."""
    return [name for name in model["columns"] if not name.endswith(NUMBERS)]


def keys(model: dict[str, Any]) -> list[list[str]]:
    """The columns of each primary key that a table declares."""
    return [
        *(one["columns"] for one in model["constraints"] if one["type"] == "primary_key"),
        *(
            [name]
            for name, column in model["columns"].items()
            if any(one["type"] == "primary_key" for one in column["constraints"])
        ),
    ]


@dataclass(frozen=True)
class Warehouse:
    """One of those that are compared, with a target folder of its own."""

    database: Database | SqlServerDatabase
    target: Path
    sources: Mapping[str, Database | SqlServerDatabase]

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

    def land(self, moment: datetime, *options: str) -> None:
        """Lands the sources as they are, at a moment that both warehouses share."""
        extracted = script("extract.py", *options, env=self.env)
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

    def models(self, layer: str) -> list[dict[str, Any]]:
        """What the last command of dbt on it knew of a layer's models."""
        manifest = json.loads((self.target / "manifest.json").read_text())
        return [
            node
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model" and node["fqn"][1] == layer
        ]

    def quoted(self, *names: str) -> str:
        if isinstance(self.database, Database):
            return postgres.identifier(*names)
        return sqlserver.identifier(*names)

    def rows(self, model: dict[str, Any]) -> list[Row]:
        """A table of bronze or gold; SQL Server's texts as UTF-16, whatever its code page is."""
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
