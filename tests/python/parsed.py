"""The project as dbt has parsed it: few times in a run of the tests, not for each of them.

dbt parses everything anew, most of the work of a short run, when the folder of its artifacts is new
or the connection is another one. So databases have names that come again (databases.py), and what
was parsed for a name is kept for the next run of dbt, wherever that writes. dbt compares every file
with what is kept: what differs it parses again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from common.project import ROOT
from databases import WORKER, Database

FOLDER = "MEDALLION_TEST_PARSED"
STATE = "partial_parse.msgpack"


def whole_project() -> Path:
    """A folder with manifest.json and, in dbt.log, all that dbt said of the project; made once."""
    folder = _folder() / "project"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest.json").exists():
            env = {**unconnected(), "DBT_TARGET_PATH": str(folder), "DBT_LOG_PATH": str(folder)}
            log = ("--log-format-file", "json", "--log-level-file", "info")
            done = subprocess.run(
                [Path(sys.executable).with_name("dbt"), *log, "parse", "--no-partial-parse"],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            keep(env)
    return folder


def unconnected() -> dict[str, str]:
    """An environment for commands of dbt that open no connection."""
    return Database(f"warehouse_{WORKER}_1").env


def reuse(env: Mapping[str, str]) -> dict[str, str]:
    """The same environment, in which dbt reads what it has parsed for this database."""
    state = _state(env)
    return {**env, "DBT_PARTIAL_PARSE_FILE_PATH": str(state)} if state.exists() else {**env}


def keep(env: Mapping[str, str]) -> None:
    """Keeps what dbt has parsed in this environment, if it is the first for this database."""
    state, parsed = _state(env), Path(env.get("DBT_TARGET_PATH", ROOT / "target"), STATE)
    if parsed.exists() and not state.exists():
        shutil.copy(parsed, state)


def _state(env: Mapping[str, str]) -> Path:
    database = env.get("MEDALLION_PGDATABASE", WORKER)
    return _folder() / f"{env.get('MEDALLION_TARGET', 'dev')}.{database}.{STATE}"


def _folder() -> Path:
    return Path(os.environ[FOLDER])
