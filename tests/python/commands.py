"""Runs the project's commands as a user does: as processes, from the root of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import parsed
from common.project import ROOT


def script(name: str, *arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a program of scripts/."""
    return _run_parsed([sys.executable, str(ROOT / "scripts" / name), *arguments], env)


def dbt(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs dbt."""
    return _run_parsed([str(Path(sys.executable).parent / "dbt"), *arguments], env)


def mf(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs MetricFlow."""
    return _run([str(Path(sys.executable).parent / "mf"), *arguments], env)


def _run_parsed(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = _run(command, parsed.reuse(env))
    parsed.keep(env)
    return done


def _run(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
