"""`make demo`: the main job from end to end, in a clone of its own."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import demo
from common.embedded_postgres import Cluster
from common.project import ROOT
from demo_sources import SOURCES

pytestmark = pytest.mark.journey

PARTS = ("analyses", "macros", "models", "scripts", "seeds", "snapshots", "tests")
FILES = ("dbt_project.yml", "packages.yml", "profiles.yml", ".dbtignore")


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """A clone in a path with a space, that uses this .venv."""
    root = tmp_path / "a clone"
    for part in PARTS:
        if (ROOT / part).exists():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(ROOT / file, root)
    yield root
    Cluster.of_clone(root).remove()


def run_demo(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    mine = ("MEDALLION_", "DBT_", "PYTEST_", *(f"{source.upper()}_URL" for source in SOURCES))
    return subprocess.run(
        [sys.executable, clone / "scripts" / "demo.py", "--scale", "0.05"],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(mine)},
            "MEDALLION_PGHOST": str(Cluster.of_clone(clone).socket_dir),
            "CI": "true",
            **environment,
        },
        check=False,
        capture_output=True,
        text=True,
    )


def landed(output: str) -> int:
    found = re.search(r"of \d+ tables, ([\d,]+) rows in", output)
    assert found, output
    return int(found[1].replace(",", ""))


def test_the_main_job_twice_and_with_a_source_that_fails(clone: Path) -> None:
    first = run_demo(clone)
    assert first.returncode == 0, first.stdout + first.stderr
    for command in (
        "$ .venv/bin/python scripts/demo_sources.py --tick --scale=0.05",
        "$ .venv/bin/python scripts/refresh.py",
        "$ .venv/bin/python scripts/extract.py",
        "$ .venv/bin/dbt --log-level warn build",
        "$ .venv/bin/dbt --log-level warn source freshness",
        "$ .venv/bin/python scripts/report.py",
    ):
        assert command in first.stdout
    assert "pagila created: scale 0.05" in first.stdout
    assert "failed" not in first.stdout.splitlines()[-1]
    report = clone / "target" / "report.html"
    assert f"report  {report}" in first.stdout
    assert landed(first.stderr) > 5000

    report.unlink()
    missing = f"postgresql://postgres@/nowhere?host={Cluster.of_clone(clone).socket_dir}"
    second = run_demo(clone, FILM_CATALOG_URL=missing)
    assert second.returncode == 1
    assert "pagila lived through a day" in second.stdout
    assert "film_catalog lived" not in second.stdout
    assert "failed  .venv/bin/python scripts/extract.py" in second.stdout
    assert "failed  .venv/bin/dbt --log-level warn build" not in second.stdout
    assert "changed tables built" in second.stdout, "what landed was built all the same"
    assert landed(second.stderr) < landed(first.stderr) / 2
    assert report.exists()


def test_no_other_target_than_dev() -> None:
    done = run_demo(ROOT, MEDALLION_TARGET="prod")
    assert done.returncode == 1
    assert "unset it" in done.stderr


@pytest.mark.parametrize(
    ("environment", "opens"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({}, False),
        ({"DISPLAY": ":0", "CI": "true"}, False),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 22"}, False),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="macOS always has a desktop")
def test_the_report_opens_where_somebody_looks(
    environment: dict[str, str], opens: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener, opened = tmp_path / "xdg-open", tmp_path / "opened"
    opener.write_text(f'#!/bin/sh\necho "$1" > "{opened}.new" && mv "{opened}.new" "{opened}"\n')
    opener.chmod(opener.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    demo.open_on_desktop(Path("/some/report.html"))
    deadline = time.monotonic() + (5 if opens else 0.3)
    while not opened.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert opened.exists() == opens
    if opens:
        assert opened.read_text() == "/some/report.html\n"
