"""The project passes dbt-bouncer.yml, and dbt-bouncer finds what breaks it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import parsed
from common.project import ROOT

BOUNCER = Path(sys.executable).with_name("dbt-bouncer")
CONFIG = ROOT / "dbt-bouncer.yml"

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not BOUNCER.exists(), reason="dbt-bouncer needs Python 3.11"),
]


def bounce(artifacts: Path, folder: Path) -> tuple[int, dict[str, set[str]]]:
    """How dbt-bouncer ended, and which checks failed, with the nodes they name."""
    config, results = folder / "dbt-bouncer.yml", folder / "results.json"
    settings = {**yaml.safe_load(CONFIG.read_text()), "dbt_artifacts_dir": str(artifacts)}
    config.write_text(yaml.safe_dump(settings))
    done = subprocess.run(
        [BOUNCER, "run", "--config-file", config, "--output-file", results],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert results.exists(), done.stdout + done.stderr
    failed: dict[str, set[str]] = {}
    for result in json.loads(results.read_text()):
        if result["outcome"] != "success":
            check, _, node = result["check_run_id"].split(":", 2)
            failed.setdefault(check, set()).add(node)
    return done.returncode, failed


def test_the_project_passes(tmp_path: Path) -> None:
    assert bounce(parsed.whole_project(), tmp_path) == (0, {})


def test_breaches_are_found(manifest: dict[str, Any], tmp_path: Path) -> None:
    """Each of another kind, all in one run."""
    doctored: dict[str, Any] = json.loads(json.dumps(manifest))
    nodes, sources = doctored["nodes"], doctored["sources"]
    film = nodes["model.medallion.dim_film"]
    staged = nodes["model.medallion.stg_pagila__rentals"]
    bronze = nodes["model.medallion.br_pagila__rental"]
    rental = sources["source.medallion.pagila.rental"]

    film["raw_code"] += " from gold.dim_store"
    staged["raw_code"] += ";"
    staged["config"]["materialized"] = "table"
    bronze["config"]["unique_key"] = None
    bronze["depends_on"]["nodes"].append("source.medallion.pagila.film")
    film["columns"]["is_film"] = {**film["columns"]["film_id"], "name": "is_film"}
    film["columns"]["title"]["data_type"] = None
    film["schema"] = "public"
    rental["loader"] = ""
    customer = sources["source.medallion.pagila.customer"]["columns"]["email"]
    customer["config"] = {"meta": {}}
    customer["meta"] = {}
    next(iter(doctored["exposures"].values()))["owner"] = {"name": None, "email": None}
    nodes["snapshot.medallion.snap_rental_customers"]["config"]["unique_key"] = None
    (tmp_path / "manifest.json").write_text(json.dumps(doctored))

    code, failed = bounce(tmp_path, tmp_path)
    assert code != 0
    assert {
        "check_model_hard_coded_references",
        "check_model_has_semi_colon",
        "check_model_materialization_permitted",
        "check_model_incremental_has_unique_key",
        "check_model_depends_on_multiple_sources",
        "check_model_columns_have_types",
        "check_model_schema_name",
        "check_source_loader_populated",
        "check_source_used_by_only_one_model",
        "check_source_pii_meta",
        "check_exposure_has_owner",
        "check_snapshot_has_unique_key",
        "check_model_column_name_complies_to_column_type",
    } <= set(failed)
    assert any("dim_film" in node for node in failed["check_model_hard_coded_references"])


def test_each_check_says_why() -> None:
    checks = yaml.safe_load(CONFIG.read_text())["manifest_checks"]
    assert [check["name"] for check in checks if not check.get("description")] == []
