"""What people meet on GitHub and in their editor fits the project."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

import codeowners
from common.project import ROOT

pytestmark = pytest.mark.unit

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def test_codeowners_are_the_owners_of_the_groups() -> None:
    assert codeowners.PAGE.read_text() == codeowners.codeowners(), (
        "Run .venv/bin/python scripts/codeowners.py"
    )


def test_every_model_has_a_code_owner_of_its_own(manifest: dict[str, Any]) -> None:
    lines = [line.split() for line in codeowners.PAGE.read_text().splitlines() if line[:1] == "/"]
    owners = {folder: owner.rpartition("/")[2] for folder, owner in lines}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            folder = "/" + node["original_file_path"].rpartition("/")[0] + "/"
            group = manifest["groups"][f"group.medallion.{node['config']['group']}"]
            assert owners[folder] == group["owner"]["name"], folder


def test_a_change_says_which_models_and_how_it_was_verified() -> None:
    text = (ROOT / ".github" / "pull_request_template.md").read_text()
    assert {"## Models affected", "## How was the data verified?"} <= set(text.splitlines())


def test_forms_ask_with_what_github_knows() -> None:
    assert {form.stem for form in FORMS} == {"bug", "feature", "new_source"}
    for form in FORMS:
        loaded = yaml.safe_load(form.read_text())
        assert {"name", "description", "body"} <= set(loaded)
        ids = [field["id"] for field in loaded["body"]]
        assert len(ids) == len(set(ids))
        for field in loaded["body"]:
            assert field["type"] in {"input", "textarea", "dropdown"}
            assert field["attributes"]["label"]


def test_a_bug_is_in_one_of_the_domains() -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text())
    (asked,) = (field for field in form["body"] if field["id"] == "domain")
    domains = {path.name for path in (ROOT / "models" / "gold").iterdir() if path.is_dir()}
    assert set(asked["attributes"]["options"]) == domains | {"none of them"}


def test_the_readme_lists_the_commands() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"```\n{said.stdout}```\n" in (ROOT / "README.md").read_text()


def test_the_container_recommends_what_the_editor_does() -> None:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    container = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
    editor = json.loads((ROOT / ".vscode" / "extensions.json").read_text())
    assert container["customizations"]["vscode"]["extensions"] == editor["recommendations"]
    targets = set(re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(), re.M))
    commands = [value for key, value in container.items() if key.endswith("Command")]
    assert set(re.findall(r"\bmake ([\w-]+)", " ".join(commands))) <= targets
