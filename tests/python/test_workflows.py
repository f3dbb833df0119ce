"""Workflows run what a laptop runs, with the least rights, and pinned to what was looked at.

test_workflow_steps.py runs them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.project import ROOT
from workflow_expressions import condition, evaluate, fill_in

pytestmark = pytest.mark.unit

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
TARGETS = set(re.findall(r"^([\w -]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
TARGETS = {name for names in TARGETS for name in names.split()}

# What a job may do besides reading the code.
RIGHTS = {
    ("ci", "comment"): {"pull-requests": "write"},
    ("ci-schemas", "sweep"): {"pull-requests": "read"},
    ("docs", "publish"): {"pages": "write", "id-token": "write"},
    ("security", "codeql"): {"security-events": "write"},
}


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read(FOLDER / f"{name}.yml")["jobs"]
    return found


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    given: Path = request.param
    return given


@pytest.fixture
def workflow(path: Path) -> dict[str, Any]:
    return read(path)


def test_each_purpose_has_its_workflow() -> None:
    assert {path.stem for path in WORKFLOWS} == {
        *("ci", "ci-schemas", "deploy", "docs"),
        *("maintenance", "pipeline", "rollback", "security"),
    }


def test_a_step_is_one_command_of_the_project(workflow: dict[str, Any]) -> None:
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            command = step.get("run", "").removeprefix("exec ").split()
            assert not set(";&|<>`\n") & set(step.get("run", "").strip()), step
            if command[:1] == ["make"]:
                assert {one for one in command[1:] if "=" not in one} <= TARGETS, step
            elif command:
                program = command[1] if command[0] == ".venv/bin/python" else command[0]
                assert (ROOT / program).is_file(), step
                assert program.endswith(".py") or os.access(ROOT / program, os.X_OK), step


def test_actions_are_pinned_by_hash_and_say_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    versions = {one for file in WORKFLOWS for one in re.findall(r"uses: (.*)", file.read_text())}
    assert len(versions) == len({one.partition("@")[0] for one in versions}), "one version of each"


def test_a_job_has_no_more_rights_than_it_needs_and_ends(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        wanted = RIGHTS.get((path.stem, name), {})
        assert job.get("permissions", {"contents": "read"}).items() >= wanted.items()
        assert set(job.get("permissions", {})) - set(wanted) <= {"contents"}, name
        assert job.get("permissions", {}).get("contents", "read") == "read", name
        assert job["timeout-minutes"] <= 120, name
        checkouts = [step for step in job["steps"] if "actions/checkout@" in step.get("uses", "")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts), name


def test_nothing_that_others_write_reaches_a_shell(path: Path) -> None:
    assert "pull_request_target" not in path.read_text()
    for job in read(path)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step


def test_only_a_workflow_of_pull_requests_is_cancelled_while_it_runs(path: Path) -> None:
    workflow = read(path)
    for one in (workflow, *workflow["jobs"].values()):
        cancels = one.get("concurrency", {}).get("cancel-in-progress", False)
        assert cancels is False or path.stem in ("ci", "docs", "security"), path
        if isinstance(cancels, str):
            assert cancels == "${{ github.event_name == 'pull_request' }}"


def test_who_cancels_a_deploy_reaches_it() -> None:
    """GitHub sends its signals to the process of the step, and no shell passes them on."""
    commands = [step.get("run", "") for job in jobs("deploy").values() for step in job["steps"]]
    assert sum("deploy.sh" in one for one in commands) == 2
    assert all(one.startswith("exec ") for one in commands if "deploy.sh" in one)


def test_caches_are_keyed_by_the_locks_and_far_from_credentials(workflow: dict[str, Any]) -> None:
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if "actions/setup-python@" in step.get("uses", "") and "cache" in step["with"]:
                assert step["with"]["cache-dependency-path"] == "requirements*.lock"
                assert "environment" not in job


def test_jobs_that_ask_git_about_other_commits_have_them() -> None:
    for workflow, name in (("deploy", "prod"), ("pipeline", "refresh")):
        steps = jobs(workflow)[name]["steps"]
        (checkout,) = (step for step in steps if "actions/checkout@" in step.get("uses", ""))
        assert checkout["with"]["fetch-depth"] == 0, name


def test_a_job_of_an_environment_has_every_variable_that_its_target_reads() -> None:
    profile = (ROOT / "profiles.yml").read_text()
    sources = set(re.findall(r"^#([A-Z_]+_URL)=", (ROOT / ".env.example").read_text(), re.M))
    assert "PAGILA_URL" in sources
    sources.discard("MEDALLION_RUN_URL")
    found = [one for path in WORKFLOWS for one in read(path)["jobs"].items()]
    for name, job in found:
        if "MEDALLION_TARGET" not in job.get("env", {}) or "environment" not in job:
            continue
        for environment in ("STAGING", "PROD"):
            read_by_target = set(re.findall(rf"env_var\('(\w*{environment}_\w+)'", profile))
            there = read_by_target & set(job["env"])
            assert there in (set(), read_by_target), (name, read_by_target - there)
        commands = " ".join(step.get("run", "") for step in job["steps"])
        builds = "deploy.sh" in commands or "pipeline.sh" in commands
        assert not builds or sources <= set(job["env"]), name


def test_every_engine_version_is_tested() -> None:
    found = jobs("ci")
    assert found["postgres"]["strategy"]["matrix"]["version"] == [15, 18]
    versions = found["sqlserver"]["strategy"]["matrix"]["version"]
    assert [version.split("-")[0] for version in versions] == ["2019", "2022", "2025"]


def test_slim_builds_are_the_same_on_both_engines() -> None:
    found = jobs("ci")
    commands = [
        [step.get("run") for step in found[name]["steps"]]
        for name in ("slim-postgres", "slim-sqlserver")
    ]
    assert commands[0] == commands[1]
    assert all("lint" in found[name]["needs"] for name in ("slim-postgres", "slim-sqlserver"))


@pytest.mark.parametrize(
    ("repository", "author", "ours"),
    [
        ("team/medallion", "ada", True),
        ("team/medallion", "dependabot[bot]", False),
        ("somebody/fork", "ada", False),
    ],
)
def test_who_gets_no_secrets_needs_and_gets_nothing_that_is_ours(
    repository: str, author: str, ours: bool
) -> None:
    found = jobs("ci")
    contexts: dict[str, Any] = {
        "github": {
            "event_name": "pull_request",
            "repository": "team/medallion",
            "event": {
                "pull_request": {
                    "head": {"repo": {"full_name": repository}},
                    "user": {"login": author},
                }
            },
        },
        "vars": {"CI_PGHOST": "shared", "CI_PGPORT": "1", "CI_PGUSER": "u", "CI_PGDATABASE": "d"},
        "secrets": {},
        "needs": {name: {"result": "success"} for name in ("slim-postgres", "slim-sqlserver")},
    }
    connection = {
        name: fill_in(text, contexts)
        for name, text in found["slim-postgres"]["env"].items()
        if name.startswith("CI_PG")
    }
    service = ("127.0.0.1", "5432", "postgres", "warehouse")
    assert connection == (contexts["vars"] if ours else dict(zip(connection, service, strict=True)))
    functions = {"cancelled": lambda: False}
    assert condition(found["comment"]["if"], contexts, functions) == ours
    assert condition(jobs("ci-schemas")["drop"]["if"], contexts, functions) == ours
    contexts["needs"] = {name: {"result": "skipped"} for name in contexts["needs"]}
    assert not condition(found["comment"]["if"], contexts, functions), "lint failed: nothing to say"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("vars.A || 'x'", "x"),
        ("vars.B && vars.B || 'x'", "b"),
        ("!(vars.B == 'b' && true)", False),
        ("vars[matrix.name] != ''", True),
        ("format('{0}-{1}', 1, vars.B)", "1-b"),
        ("vars.none.deeper == ''", True),
        ("'it''s'", "it's"),
    ],
)
def test_expressions_are_evaluated_as_by_github(text: str, value: object) -> None:
    assert evaluate(text, {"vars": {"B": "b"}, "matrix": {"name": "B"}}) == value


@pytest.mark.parametrize("text", ["nobody.knows", "vars.A ~ 1", "unknown()", "vars.A vars.A"])
def test_an_expression_that_is_not_understood_is_no_silent_nothing(text: str) -> None:
    with pytest.raises(ValueError):
        evaluate(text, {"vars": {}})


def test_dependencies_are_updated_together_and_not_at_once() -> None:
    found = yaml.safe_load((FOLDER.parent / "dependabot.yml").read_text())["updates"]
    assert {one["package-ecosystem"] for one in found} == {
        *("pip", "github-actions", "docker-compose")
    }
    for one in found:
        assert one["cooldown"]["default-days"] >= 7
        assert len(one["groups"]) == 1
