"""What holds for the project as a whole: its declarations, its locks, its promises on gold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import dbt
from common.project import ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The manifest of a parse that takes every deprecation and warning for an error."""
    target = tmp_path_factory.mktemp("parse")
    done = dbt(
        *("parse", "--no-partial-parse", "--warn-error"),
        env={"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)},
    )
    assert done.returncode == 0, done.stdout
    found: dict[str, Any] = json.loads((target / "manifest.json").read_text())
    return found


def _models(manifest: dict[str, Any], layer: str) -> list[dict[str, Any]]:
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == layer
    ]
    assert models, f"no model in {layer}"
    return models


def test_every_variable_is_in_the_example(manifest: dict[str, Any]) -> None:
    documented = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    in_profile = set(re.findall(r"env_var\('([A-Z_]+)'", (ROOT / "profiles.yml").read_text()))
    in_sources = {
        source["source_meta"]["extract"]["connection"] for source in manifest["sources"].values()
    }
    assert in_profile | in_sources <= documented | {"USER"}


def test_no_secret_is_written_in_the_profile() -> None:
    outputs = yaml.safe_load((ROOT / "profiles.yml").read_text())["medallion"]["outputs"]
    for name, output in outputs.items():
        password = output["password"]
        assert password == "" or "env_var('DBT_ENV_SECRET_" in password, name


def test_staging_and_prod_share_no_variable_and_have_no_defaults() -> None:
    """Forgetting a setting must stop a run, not lead it elsewhere."""
    outputs = yaml.safe_load((ROOT / "profiles.yml").read_text())["medallion"]["outputs"]
    for environment in ("staging", "prod"):
        for suffix in ("", "_sqlserver"):
            text = json.dumps(outputs[environment + suffix])
            prefix = f"(?:DBT_ENV_SECRET_)?{environment.upper()}_"
            assert re.findall(r"env_var\('(?!" + prefix + r")\w+'", text) == []
            for key in ("HOST", "SERVER", "USER", "PASSWORD", "DATABASE"):
                assert not re.search(rf"env_var\('\w*{key}', ", text), f"{environment}: {key}"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_hashes_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links", text)
    packages = re.split(r"^(?=\S)", text, flags=re.M)
    pinned = [package for package in packages if re.match(r"[a-z0-9][\w.-]*==", package)]
    assert len(pinned) > 50
    assert [p.split()[0] for p in pinned if "--hash=sha256:" not in p] == []


def test_both_locks_agree() -> None:
    run, develop = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.M)) for name in LOCKS
    )
    assert {name: develop.get(name) for name in run} == run


def test_packages_resolve_offline() -> None:
    assert yaml.safe_load((ROOT / "packages.yml").read_text()) == {"packages": []}


def test_gold_keeps_its_promises(manifest: dict[str, Any]) -> None:
    for model in _models(manifest, "gold"):
        name = model["name"]
        config = model["config"]
        assert config["contract"]["enforced"], name
        assert config["group"], f"{name} has no group, so no owner"
        assert model["description"], name
        assert all(column["description"] for column in model["columns"].values()), name
        constraints = [c["type"] for c in model["constraints"]] + [
            c["type"] for column in model["columns"].values() for c in column["constraints"]
        ]
        assert "primary_key" in constraints, f"{name} has no primary key"
        if name.startswith("fact_"):
            assert re.match(r"(Grain: )?One row per ", model["description"], re.I), name


def test_every_model_and_column_is_described(manifest: dict[str, Any]) -> None:
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    for node in nodes:
        if node["resource_type"] in {"model", "source", "snapshot", "seed", "analysis"}:
            assert node["description"], f"{node['name']} has no description"
            for column in node["columns"].values():
                assert column["description"], f"{node['name']}.{column['name']}"


def test_every_source_table_is_fresh_by_some_limit_and_has_its_bronze(
    manifest: dict[str, Any],
) -> None:
    children = manifest["child_map"]
    for unique_id, source in manifest["sources"].items():
        freshness = source["freshness"]
        assert freshness["warn_after"]["count"], unique_id
        assert freshness["error_after"]["count"], unique_id
        assert source["source_meta"].get("owner"), unique_id
        bronze = f"model.medallion.br_{source['source_name']}__{source['name']}"
        assert bronze in children[unique_id], f"{unique_id} has no bronze model"


def test_bronze_of_a_log_is_merged_and_never_built_anew(manifest: dict[str, Any]) -> None:
    for source in manifest["sources"].values():
        bronze = manifest["nodes"][f"model.medallion.br_{source['source_name']}__{source['name']}"]
        config = bronze["config"]
        kind = (config["materialized"], config["incremental_strategy"], config["full_refresh"])
        is_log = source["config"]["meta"]["extract"]["mode"] == "cursor"
        expected = ("incremental", "merge", False) if is_log else ("table", None, None)
        assert kind == expected, bronze["name"]


def test_every_model_is_tested_for_one_row_per_key(manifest: dict[str, Any]) -> None:
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name")
        in {"unique", "unique_combination_of_columns"}
        and node["config"]["severity"].lower() == "error"
        and node["config"]["error_if"] == "!= 0"
    }
    models = {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    assert models - tested == set()


def test_every_gold_model_is_in_an_exposure(manifest: dict[str, Any]) -> None:
    exposed = {
        parent for node in manifest["exposures"].values() for parent in node["depends_on"]["nodes"]
    }
    assert {model["unique_id"] for model in _models(manifest, "gold")} - exposed == set()


def test_layers_read_only_the_layer_below(manifest: dict[str, Any]) -> None:
    may_read = {
        "bronze": {"source"},
        "silver": {"bronze", "silver", "snapshots", "seed"},
        "gold": {"silver", "gold", "snapshots", "seed"},
    }
    for layer, allowed in may_read.items():
        for model in _models(manifest, layer):
            for parent in model["depends_on"]["nodes"]:
                kind = parent.split(".")[0]
                below = manifest["nodes"][parent]["fqn"][1] if kind == "model" else kind
                below = "snapshots" if kind == "snapshot" else below
                assert below in allowed, f"{model['name']} in {layer} reads {parent}"


def test_links_in_the_docs_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / Path(link)).exists(), f"{page.name} links to {link}"
