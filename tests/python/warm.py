"""Programs as processes that begin with dbt at work: three seconds less, half of a short run.

A server process gets there once (dbt_at_work.py) and forks for each program. That has a process of
its own, as if it had been started: its arguments, environment, folder, output and exit code.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path

import pytest

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["dbt_at_work"])


def run(
    program: Path, arguments: Sequence[str], env: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Runs a program that is written in Python; returns what it said and how it ended."""
    with tempfile.TemporaryDirectory() as outputs:
        files = [Path(outputs, name) for name in ("stdout", "stderr")]
        command = [str(program), *arguments]
        for file in files:
            file.touch()
        _start_server()
        process = _context.Process(target=_become, args=(command, dict(env), folder, files))
        process.start()
        process.join()
        assert process.exitcode is not None
        said = [file.read_text() for file in files]
        return subprocess.CompletedProcess(command, process.exitcode, *said)


def _start_server() -> None:
    """If it isn't running. It finds its modules by PYTHONPATH alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        forkserver.ensure_running()


def _become(command: list[str], env: dict[str, str], folder: Path, files: list[Path]) -> None:
    for number, file in enumerate([Path(os.devnull), *files]):
        opened = os.open(file, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(folder)
    sys.argv = command
    home = Path(__file__).parent
    tests = {str(home), str(home.parents[1] / "scripts"), ""}
    sys.path = [str(Path(command[0]).parent), *(path for path in sys.path if path not in tests)]
    gc.freeze()  # what dbt's modules made stays: no use in looking through it
    runpy.run_path(command[0], run_name="__main__")
