"""Builds the fixture project that proves the macros and the generic tests of the main one."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import warm
from common.project import ROOT
from databases import temporary_database

FIXTURE = Path(__file__).parent / "fixtures" / "portable_sql"
DBT = Path(sys.executable).with_name("dbt")


@dataclass(frozen=True)
class Result:
    """What became of one model or test; `failures` are the rows that a test found."""

    status: str
    failures: int | None
    message: str


def link_project(folder: Path) -> Path:
    """The fixture project in `folder`, beside links to the real macros and generic tests.

    Links, not copies and not `..` in dbt_project.yml: dbt would read the main project's singular
    tests together with its generic ones.
    """
    project = Path(shutil.copytree(FIXTURE, folder / "project"))
    (project / "tests").mkdir()
    (project / "tests" / "generic").symlink_to(ROOT / "tests" / "generic")
    (project / "macros").symlink_to(ROOT / "macros")
    return project


@cache
def build(target: str = "dev") -> dict[str, Result]:
    """Runs `dbt build` in a database of its own; returns the results by model or test name."""
    with tempfile.TemporaryDirectory() as folder, temporary_database("portable") as database:
        project = link_project(Path(folder))
        options = ["--project-dir", project, "--profiles-dir", ROOT, "--quiet"]
        options += ["--target-path", project / "target", "--target", target]
        run = warm.run(DBT, ["build", *map(str, options)], database.env, ROOT)
        results = project / "target" / "run_results.json"
        assert results.exists(), run.stdout + run.stderr
        return {
            result["unique_id"].split(".")[2]: Result(
                result["status"], result["failures"], result["message"] or ""
            )
            for result in json.loads(results.read_text())["results"]
        }


def models(folder: str) -> list[dict[str, Any]]:
    """The models that a properties file of the fixture project declares."""
    properties = FIXTURE / "models" / folder / f"_{folder}.yml"
    declared: list[dict[str, Any]] = yaml.safe_load(properties.read_text())["models"]
    return declared
