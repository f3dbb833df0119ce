"""How tables are stored on SQL Server: facts that grow as columnstores, all else as rows."""

from __future__ import annotations

from typing import Any


def test_only_facts_that_grow_are_columnstores(manifest: dict[str, Any]) -> None:
    stored = {
        node["name"]: node["config"].get("as_columnstore")
        for node in manifest["nodes"].values()
        if node["config"].get("materialized") in ("table", "incremental", "seed", "snapshot")
    }
    growing = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["name"].startswith("fact_") and node["config"]["materialized"] == "incremental"
    }
    assert len(growing) > 10
    assert stored == {name: name in growing for name in stored}


def test_a_columnstore_has_no_clustered_index_beside_it(manifest: dict[str, Any]) -> None:
    for node in manifest["nodes"].values():
        indexes = node["config"].get("indexes") or []
        if node["config"].get("as_columnstore"):
            assert not any(index.get("type") == "clustered" for index in indexes), node["name"]
