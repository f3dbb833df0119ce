#!/usr/bin/env python
"""Checks, for both engines, the SQL that is not known to be clean since it was checked last.

A file is clean as long as it, the YAML beside it and what is shared (macros, settings, tools) are
what they were when both checks passed. YAML and seeds are files of their own for the T-SQL gate: a
source's tests have no other. `make lint` checks everything and asks no such list.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from common.project import ROOT, TARGET

CLEAN = TARGET / "lint" / "clean.json"
SHARED = [
    *("macros/**/*", "tests/generic/*", "scripts/tsql/*.py"),
    *("scripts/lint_sql.py", "scripts/tsql_gate.py", "scripts/check_sql.py"),
    *("dbt_project.yml", ".sqlfluff", ".sqlfluffignore", "requirements-dev.lock"),
]
FOLDERS = ("models/**", "snapshots/**", "analyses/**", "seeds/**", "tests/*")
FILES = [f"{folder}/*.{kind}" for folder in FOLDERS for kind in ("sql", "yml", "csv")]
CHECKS = {
    "sqlfluff": ["scripts/lint_sql.py", "lint", "--disable-progress-bar", "--nocolor"],
    "T-SQL gate": ["scripts/tsql_gate.py"],
}


def digest(*patterns: str) -> str:
    """Of the files' names and contents."""
    found = sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()})
    parts = (str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() for path in found)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def digests() -> dict[str, str]:
    """Each file, and what its checks depend on."""
    shared, folders, result = digest(*SHARED), dict[Path, str](), dict[str, str]()
    for path in sorted(path for pattern in FILES for path in ROOT.glob(pattern)):
        name = path.relative_to(ROOT)
        if name.parts[:2] in {("tests", "generic"), ("tests", "python")}:
            continue
        if path.parent not in folders:
            folders[path.parent] = digest(f"{name.parent}/*.yml")
        own = hashlib.sha256(path.read_bytes()).hexdigest()
        result[name.as_posix()] = f"{shared} {folders[path.parent]} {own}"
    return result


def check(name: str, files: list[str]) -> bool:
    if name == "sqlfluff":
        files = [file for file in files if file.endswith(".sql")]
    if not files:  # which either check would take for all
        return True
    command = [sys.executable, *CHECKS[name], *files]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        click.echo(f"{name}:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


@click.command(help=__doc__)
def main() -> None:
    now = digests()
    clean: dict[str, str] = json.loads(CLEAN.read_text()) if CLEAN.exists() else {}
    unknown = [name for name, found in now.items() if clean.get(name) != found]
    click.echo(f"{len(unknown)} of {len(now)} files to check.")
    if not unknown:
        return
    with ThreadPoolExecutor() as pool:
        passed = list(pool.map(lambda name: check(name, unknown), CHECKS))
    if not all(passed):
        sys.exit(1)
    CLEAN.parent.mkdir(parents=True, exist_ok=True)
    CLEAN.write_text(json.dumps(now, indent=1))


if __name__ == "__main__":
    main()
