"""Runs the project's commands one after the other, and remembers which failed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from common.project import ROOT

BIN = Path(sys.executable).parent


class Job:
    """Commands in the project's folder; each is printed as somebody would type it."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def run(
        self, *command: str, capture: bool = False, env: Mapping[str, str] | None = None
    ) -> tuple[bool, str]:
        """Runs `python scripts/…` or `dbt …`; whether it worked, and its output if captured."""
        typed = shlex.join([f".venv/bin/{command[0]}", *command[1:]])
        click.secho(f"\n$ {typed}", bold=True)
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            env=env,
        )
        try:
            output, _ = process.communicate()
        except KeyboardInterrupt:
            process.wait()  # the same Ctrl-C reached it, and it stops by itself
            raise
        if process.returncode:
            self.failed.append(typed)
        return process.returncode == 0, output or ""
