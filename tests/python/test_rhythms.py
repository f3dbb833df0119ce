"""The rhythms in which miyabi is built, `tag:hourly` and `tag:daily`, each on its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import demo_sources
import parsed
from commands import dbt, script
from databases import Database
from demo_days import SCALE

pytestmark = pytest.mark.journey

RHYTHMS = ("hourly", "daily")
# Tests that a rhythm runs against what the other one left: what refers may be older than what it
# refers to, which keeps deleted rows; the other way round would fail for no reason.
OLDER_CHILDREN = {
    "hourly": {
        "every_state_change_is_of_a_known_issue",
        "every_state_change_leads_from_a_known_state",
        "every_state_change_leads_to_a_known_state",
        "the_issues_that_are_processed_are_in_dim_issue",
    },
    "daily": {
        "the_issues_of_code_generations_are_in_dim_issue",
        "the_issues_of_runs_are_in_dim_issue",
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt leaves its manifest."""
    return tmp_path_factory.mktemp("rhythms")


@pytest.fixture(scope="module")
def selected(folder: Path) -> dict[str, set[str]]:
    """What dbt selects for each rhythm, its tests included."""
    env = {
        **parsed.unconnected(),
        "DBT_TARGET_PATH": str(folder),
        "DBT_LOG_PATH": str(folder),
    }
    found = {}
    for rhythm in RHYTHMS:
        keys = ("--output", "json", "--output-keys", "unique_id")
        done = dbt("--quiet", "ls", "-s", f"tag:{rhythm}", *keys, env=env)
        assert done.returncode == 0, done.stdout
        found[rhythm] = {
            json.loads(line)["unique_id"] for line in done.stdout.splitlines() if line[:1] == "{"
        }
    return found


@pytest.fixture(scope="module")
def nodes(folder: Path, selected: dict[str, set[str]]) -> dict[str, dict[str, Any]]:
    """The manifest's nodes, as they were when dbt selected."""
    found: dict[str, dict[str, Any]] = json.loads((folder / "manifest.json").read_text())["nodes"]
    assert set.union(*selected.values()) & found.keys()
    return found


def test_every_model_and_seed_of_miyabi_has_a_rhythm(
    selected: dict[str, set[str]], nodes: dict[str, dict[str, Any]]
) -> None:
    of_miyabi = {
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] in {"model", "seed"} and "miyabi" in node["fqn"]
    }
    assert len(of_miyabi) > 30
    assert of_miyabi - selected["hourly"] - selected["daily"] == set()


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_a_rhythm_reads_only_what_it_builds(
    rhythm: str, selected: dict[str, set[str]], nodes: dict[str, dict[str, Any]]
) -> None:
    older_children = set()
    for unique_id in selected[rhythm] & nodes.keys():
        node = nodes[unique_id]
        elsewhere = (set(node["depends_on"].get("nodes", [])) & nodes.keys()) - selected[rhythm]
        if node["resource_type"] == "test" and elsewhere == {node.get("attached_node")}:
            older_children.add(node["name"])
        else:
            assert elsewhere == set(), unique_id
    assert older_children == OLDER_CHILDREN[rhythm]


def test_each_rhythm_leaves_something_to_the_other(selected: dict[str, set[str]]) -> None:
    for rhythm, other in (RHYTHMS, RHYTHMS[::-1]):
        assert len(selected[rhythm] - selected[other]) > 30


def test_a_rhythm_goes_on_without_the_other(
    source: Database, warehouse: Database, tmp_path: Path
) -> None:
    env = {
        **warehouse.env,
        "MIYABI_URL": source.url,
        "DBT_TARGET_PATH": str(tmp_path),
        "DBT_LOG_PATH": str(tmp_path),
    }

    def build(selection: str) -> tuple[int, int]:
        """Extracts, builds, and tells the newest run and deployment of gold."""
        extracted = script("extract.py", "--source", "miyabi", env=env)
        assert extracted.returncode == 0, extracted.stderr
        built = dbt("build", "-s", selection, "--exclude-resource-type", "unit_test", env=env)
        assert built.returncode == 0, built.stdout
        runs = warehouse.scalar("select max(run_id) from dev_test_gold.fact_agent_execution")
        return runs, warehouse.scalar(
            "select max(deployment_id) from dev_test_gold.fact_deployment"
        )

    def live(days: int) -> None:
        for _ in range(days):
            demo_sources.tick(source.url, "miyabi")

    demo_sources.build(source.url, "miyabi", SCALE)
    run, deployment = build("@source:miyabi")
    live(3)
    newer_run, same_deployment = build("tag:hourly")
    assert (newer_run > run, same_deployment) == (True, deployment)
    live(3)
    same_run, newer_deployment = build("tag:daily")
    assert (same_run, newer_deployment > deployment) == (newer_run, True)
    assert build("tag:hourly")[0] > newer_run
