"""`make check` says where the time went, and checks again what may have become wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import check_sql
from common.project import ROOT

pytestmark = pytest.mark.unit

ALL = {"models/a/one.sql", "models/a/_a.yml", "models/b/two.sql", "tests/a/claim.sql"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_failed_step_fails_all_and_is_named(workers: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "steps.py"), "-j", workers]
    done = subprocess.run(
        [*command, "good=echo said", "bad=false"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "said" in done.stdout
    times = {line.split()[0]: line for line in done.stdout.splitlines() if " s" in line}
    assert times["bad"].endswith("FAILED")
    assert not times["good"].endswith("FAILED")
    assert "in all" in done.stdout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models in two folders, with YAML, a macro and a singular test."""
    monkeypatch.setattr(check_sql, "ROOT", tmp_path)
    for name in ("models/a/one.sql", "models/b/two.sql", "tests/a/claim.sql", "macros/c/m.sql"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("select 1")
    (tmp_path / "models/a/_a.yml").write_text("models: []")
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("models/a/one.sql", {"models/a/one.sql"}),
        ("models/a/_a.yml", {"models/a/one.sql", "models/a/_a.yml"}),
        ("models/b/new.yml", {"models/b/two.sql", "models/b/new.yml"}),
        ("seeds/b/rates.csv", {"seeds/b/rates.csv"}),
        ("tests/a/claim.sql", {"tests/a/claim.sql"}),
        ("macros/c/m.sql", ALL),
        ("dbt_project.yml", ALL),
        ("docs.md", set()),
    ],
)
def test_what_a_change_may_break_is_checked_again(
    changed: str, again: set[str], project: Path
) -> None:
    before = check_sql.digests()
    assert set(before) == ALL
    (project / changed).parent.mkdir(parents=True, exist_ok=True)
    (project / changed).write_text("select 2")
    after = check_sql.digests()
    assert {name for name in after if after[name] != before.get(name)} == again
