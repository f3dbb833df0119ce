"""The project as dbt has parsed it: few times in a run of the tests, not for each of them.

dbt parses everything anew, most of the work of a short run, when the folder of its artifacts is new
or the connection is another one. So databases have names that come again (databases.py), and what
was parsed for a name is kept for the next run of dbt, wherever that writes. dbt compares every file
with what is kept: what differs it parses again.
"""

from __future__ import annotations

import fcntl
import os
import pprint
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from common.dbt_project import warehouse_credentials
from common.project import ROOT
from databases import WORKER, Database

FOLDER = "MEDALLION_TEST_PARSED"
STATE = "partial_parse.msgpack"
WHOLE = "whole"  # other projects have names of their own


def whole_project() -> Path:
    """A folder with manifest.json and, in dbt.log, all that dbt said of the project; made once."""
    folder = _folder() / "parsed"
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


def reuse(env: Mapping[str, str], project: str = WHOLE) -> dict[str, str]:
    """The same environment, in which dbt reads what it has parsed for this database."""
    state = _state(env, project)
    if not state.exists():
        if project == WHOLE and _target(env) == "dev":
            whole_project()  # which is needed anyhow, and else each worker would begin with it
        _borrow(env, state)
    return {**env, "DBT_PARTIAL_PARSE_FILE_PATH": str(state)} if state.exists() else {**env}


def keep(env: Mapping[str, str], project: str = WHOLE) -> None:
    """Keeps what dbt has parsed in this environment, if it is the first for this database."""
    state, parsed = _state(env, project), Path(env.get("DBT_TARGET_PATH", ROOT / "target"), STATE)
    if parsed.exists() and not state.exists():
        _write(state, parsed.read_bytes())


def _borrow(env: Mapping[str, str], state: Path) -> None:
    """Keeps what was parsed for another worker's database, with this one's name in its place.

    Nothing else in it depends on the connection but its digest, by which dbt knows it again.
    """
    if _target(env) != "dev":  # whose connection is not that of these variables
        return
    name = _database(env)
    for other in state.parent.glob(f"{_target(env)}.*.{STATE}"):
        theirs = other.name.split(".")[1]
        if len(theirs) == len(name):  # as the format says before each text
            text = other.read_bytes().replace(theirs.encode(), name.encode())
            before, after = (
                _digest({**env, "MEDALLION_PGDATABASE": one}) for one in (theirs, name)
            )
            assert before in text, "dbt makes its digest of the connection in another way"
            _write(state, text.replace(before, after))
            return


def _digest(env: Mapping[str, str]) -> bytes:
    """As in dbt's ManifestLoader.build_manifest_state_check."""
    from dbt.contracts.files import FileHash

    with pytest.MonkeyPatch.context() as patch:
        for variable in ("MEDALLION_PGHOST", "MEDALLION_PGDATABASE", "USER"):
            patch.setenv(variable, env[variable])
        connection = sorted(warehouse_credentials(env.get("MEDALLION_TARGET")).connection_info())
    return str(FileHash.from_contents(pprint.pformat(connection)).checksum).encode()


def _write(state: Path, text: bytes) -> None:
    """Whole or not at all: other workers read it."""
    part = state.with_suffix(f".{WORKER}")
    part.write_bytes(text)
    part.rename(state)


def _state(env: Mapping[str, str], project: str) -> Path:
    folder = _folder() / project
    folder.mkdir(exist_ok=True)
    return folder / f"{_target(env)}.{_database(env)}.{STATE}"


def _target(env: Mapping[str, str]) -> str:
    return env.get("MEDALLION_TARGET", "dev")


def _database(env: Mapping[str, str]) -> str:
    return env.get("MEDALLION_PGDATABASE", WORKER)


def _folder() -> Path:
    return Path(os.environ[FOLDER])
