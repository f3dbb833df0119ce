"""Sources that are SQL Servers in production and Postgres in the demo: from either, the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import demo_sources
import sqlserver_copy
from cross_engine import Warehouse, compared, keys
from databases import SQLSERVER, temporary_database, temporary_sqlserver_database
from demo_days import SCALE, TODAY
from extraction.declared import read_project
from gold_comparison import differences

pytestmark = [
    pytest.mark.sqlserver,
    pytest.mark.skipif(SQLSERVER not in os.environ, reason=f"needs a SQL Server: set {SQLSERVER}"),
]

SOURCES = ("adventureworks", "storefront")
# The first batch is all of a table, the second what a day changed and deleted.
DAYS = 2


@dataclass(frozen=True)
class Pair:
    """Two warehouses on Postgres, and the source each is loaded from."""

    of_postgres: Warehouse
    of_sqlserver: Warehouse

    def told(self, model: dict[str, Any], key: Sequence[str]) -> list[str]:
        """What differs in a table. Each warehouse finds at a moment of its own what is deleted."""
        columns = compared(model)
        ours, theirs = (
            [
                tuple(
                    value is not None if column == "_deleted_at" else value
                    for column, value in zip(columns, row, strict=True)
                )
                for row in warehouse.rows(model)
            ]
            for warehouse in (self.of_postgres, self.of_sqlserver)
        )
        assert ours, model["name"]
        found = differences(columns, key, ours, theirs)
        return [f"{model['name']}: {difference}" for difference in found]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ExitStack() as stack:
        demos = {name: stack.enter_context(temporary_database(name)) for name in SOURCES}
        copies = {name: stack.enter_context(temporary_sqlserver_database(name)) for name in SOURCES}
        warehouses = [
            Warehouse(
                stack.enter_context(temporary_database("warehouse")),
                tmp_path_factory.mktemp("warehouse"),
                sources,
            )
            for sources in (demos, copies)
        ]
        for name, demo in demos.items():
            demo_sources.build(demo.url, name, SCALE, TODAY)
        for day in range(DAYS):
            for name, demo in demos.items():
                if day:
                    demo_sources.tick(demo.url, name, TODAY + timedelta(days=day))
                sqlserver_copy.copy(demo, copies[name])
            moment = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=1)
            for warehouse in warehouses:
                warehouse.land(moment, *(f"--source={name}" for name in SOURCES))
                said = warehouse.build(
                    *("--select", *(f"+path:models/gold/{name}" for name in SOURCES)),
                    *("--exclude-resource-type", "test"),  # of the same rows they say the same
                    record=False,
                )
                assert said is None, said
        yield Pair(*warehouses)


def test_bronze_is_the_same_from_either_engine(pair: Pair) -> None:
    declared = {
        f"br_{spec.source}__{spec.table}": spec
        for spec in read_project(None).specs
        if spec.source in SOURCES
    }
    models = [one for one in pair.of_postgres.models("bronze") if one["name"] in declared]
    assert len(models) == len(declared) > 15
    found = [
        one for model in models for one in pair.told(model, declared[model["name"]].landed_key)
    ]
    assert not found, "first from Postgres, second from SQL Server\n" + "\n".join(found)


def test_gold_is_the_same_from_either_engine(pair: Pair) -> None:
    models = [one for one in pair.of_postgres.models("gold") if one["fqn"][2] in SOURCES]
    assert {one["fqn"][2] for one in models} == set(SOURCES)
    found = [one for model in models for one in pair.told(model, keys(model)[0])]
    assert not found, "first from Postgres, second from SQL Server\n" + "\n".join(found)
