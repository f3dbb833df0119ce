"""What holds for the project as a whole: its settings, its locks, its links."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import parsed
from common.project import ROOT

pytestmark = pytest.mark.unit

LOCKS = ["requirements.lock", "requirements-dev.lock"]


def test_the_project_parses_without_a_warning() -> None:
    log = (parsed.whole_project() / "dbt.log").read_text().splitlines()
    said = [event["info"] for event in map(json.loads, log)]
    assert "ParsePerfInfoPath" in {info["name"] for info in said}, "this is not the log of a parse"
    assert [info["msg"] for info in said if info["level"] in {"warn", "error"}] == []


def test_every_variable_is_in_the_example(manifest: dict[str, Any]) -> None:
    documented = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    in_profile = set(re.findall(r"env_var\('([A-Z_]+)'", (ROOT / "profiles.yml").read_text()))
    in_sources = {
        source["source_meta"]["extract"]["connection"]
        for source in manifest["sources"].values()
        if "extract" in source["source_meta"]
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


def test_links_in_the_docs_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / Path(link)).exists(), f"{page.name} links to {link}"
