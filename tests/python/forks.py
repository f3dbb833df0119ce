"""Many short runs of one program, each a process of its own that begins with its modules imported.

The program is started once, waits, and forks for each run: that saves what importing takes, most
of a short run. It must call `serve(main)` when it is started without arguments.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path

from common.project import ROOT

HERE = Path(__file__).parent


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of this folder; returns what it said, and how it ended."""
    server = _server(program)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(arguments) + "\n")
    server.stdin.flush()
    return subprocess.CompletedProcess([program, *arguments], *json.loads(server.stdout.readline()))


@cache
def _server(program: Path) -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT / "scripts")])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)
    return server


def serve(main: Callable[..., None]) -> None:
    """Calls `main` in a new process for each line that comes: its arguments."""
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
            process = os.fork()
            if process == 0:
                os.dup2(said.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                _become(main, json.loads(line))
            _, status = os.waitpid(process, 0)
            told: list[int | str] = [os.waitstatus_to_exitcode(status)]
            for file in (said, errors):
                file.seek(0)
                told.append(file.read())
        print(json.dumps(told), flush=True)


def _become(main: Callable[..., None], arguments: list[str]) -> None:
    code = 0
    try:
        main(*arguments)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
