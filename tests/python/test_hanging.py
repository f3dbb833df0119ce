"""A test that waits for ever ends, and says where it waited."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.project import ROOT

HANGS = """
import time

def test_of_a_lock_that_nobody_gives_back():
    time.sleep(60)
"""


@pytest.mark.unit
def test_a_hanging_test_is_ended_and_its_place_told(tmp_path: Path) -> None:
    test = tmp_path / "test_lock.py"
    test.write_text(HANGS)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(test)]
    ended = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-o", "faulthandler_timeout=1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert ended.returncode != 0
    assert "in test_of_a_lock_that_nobody_gives_back" in ended.stderr


@pytest.mark.unit
def test_a_hanging_test_is_ended_before_its_job(pytestconfig: pytest.Config) -> None:
    assert 0 < float(pytestconfig.getini("faulthandler_timeout")) < 45 * 60
