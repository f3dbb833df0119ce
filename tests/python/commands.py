"""Runs the project's commands as a user does: as processes, from the root of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import parsed
import warm
from common.project import ROOT

BIN = Path(sys.executable).parent


def script(name: str, *arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a program of scripts/."""
    return _run(ROOT / "scripts" / name, arguments, env)


def dbt(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs dbt."""
    return _run(BIN / "dbt", arguments, env)


def mf(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs MetricFlow."""
    return _run(BIN / "mf", arguments, env)


def _run(
    program: Path, arguments: tuple[str, ...], env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    plain = {"NO_COLOR": "1", "COLUMNS": "200"}
    done = warm.run(program, arguments, {**os.environ, **plain, **parsed.reuse(env)}, ROOT)
    parsed.keep(env)
    return done
