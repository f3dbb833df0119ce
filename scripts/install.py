#!/usr/bin/env python3
"""Makes .venv from a lock file, and makes it again when it is broken, moved or out of date.

Runs under the machine's own Python and needs nothing but the standard library. What a run leaves
half done has no marker file, so the next run begins afresh.
"""
# ruff: noqa: E402 - an old Python must hear that it is old before it meets what it cannot read

import sys

SUPPORTED = [(3, 10), (3, 11), (3, 12), (3, 13)]  # as in pyproject.toml

if sys.version_info < (3, 8):  # noqa: UP036
    sys.exit(
        f"Medallion needs Python 3.10 to 3.13, not {sys.version.split()[0]} ({sys.executable})."
    )

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

from common import odbc
from common.embedded_postgres import Cluster
from common.project import ROOT

VENV = ROOT / ".venv"
MARKER = VENV / "medallion.json"
PYTHON = VENV / "bin" / "python"


def use_supported_python() -> None:
    """Goes on under a Python that dbt supports: this one, or the newest that can be found."""
    if sys.version_info[:2] in SUPPORTED:
        return
    for major, minor in reversed(SUPPORTED):
        found = shutil.which(f"python{major}.{minor}")
        if (
            found
            and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0
        ):
            os.execv(found, [found, *sys.argv])  # noqa: S606
    sys.exit(
        f"Medallion needs Python 3.10 to 3.13; {sys.executable} is {sys.version.split()[0]}.\n"
        "Install one of them, or name it: make install PYTHON=/path/to/python3.12"
    )


def run(*command: str) -> None:
    """Runs a program without the settings that would lead Python or pip elsewhere."""
    elsewhere = ("PYTHON", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "__PYVENV")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(elsewhere)}
    done = subprocess.run(command, check=False, env={**environment, "PIP_USER": "0"})
    if done.returncode:
        sys.exit(
            f"\nThis failed; mend what it says and run `make install` again:\n  {' '.join(command)}"
        )


def make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(
            f"This Python ({sys.executable}) cannot make virtual environments.\n"
            f"On Debian and Ubuntu: apt-get install python{version}-venv"
        )
    print(f"Making .venv with Python {sys.version.split()[0]}", flush=True)
    run(sys.executable, "-m", "venv", "--clear", str(VENV))


def installed() -> "dict[str, str]":
    """What the marker says of this .venv; empty if it is not whole, or belongs to another place."""
    try:
        marker: dict[str, str] = json.loads(MARKER.read_text())
        return marker if PYTHON.exists() and marker["path"] == str(VENV) else {}
    except (OSError, ValueError, KeyError):
        return {}


def take_server_along() -> None:
    """As root the server's data is outside the clone: brings it along when the clone was moved."""
    try:
        old_root = Path(json.loads(MARKER.read_text())["path"]).parent
    except (OSError, ValueError, KeyError):
        return
    old, new = Cluster.of_clone(old_root), Cluster.of_clone(ROOT)
    if not old_root.exists() and old.home.exists() and not new.home.exists():
        old.stop()
        old.home.rename(new.home)


def compile_all() -> None:
    """On all cores, where pip takes one; Python compiles what is missing when it is used."""
    command = [str(PYTHON), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib")]
    subprocess.run(command, check=False)


# Saves a fifth of dbt's processor time, which is most of a run with little new data. dbt makes many
# small objects that stay, or are gone at once: Python looks for cycles among every 700 new ones,
# here among 50 000. Its threads take turns of 5 ms, here of 50: who asks the database gives the
# turn away anyhow.
SUIT_DBT = "import gc, sys; gc.set_threshold(50_000, 20, 50); sys.setswitchinterval(0.05)\n"


def write_pth() -> None:
    """Every Python of .venv knows this clone's server and the ODBC driver, and suits dbt."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run(
        [str(PYTHON), "-Ic", program], check=True, capture_output=True, text=True
    )
    packages = Path(found.stdout.rstrip("\n"))
    socket = ascii(str(Cluster.of_clone(ROOT).socket_dir))
    lines = f'import os; os.environ.setdefault("MEDALLION_PGHOST", {socket})\n' + SUIT_DBT
    if odbc.register(VENV / "odbc", packages):
        lines += odbc.pth_line(VENV / "odbc")
    path = packages / "medallion.pth"
    if not path.exists() or path.read_text() != lines:
        path.write_text(lines)


def main() -> None:
    use_supported_python()
    lock = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "requirements.lock")
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    with lock.open("rb") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        marker = installed()
        if marker.get(lock.name) != digest:
            if not marker:
                take_server_along()
                make_venv()
            MARKER.unlink(missing_ok=True)
            print(f"Installing {lock.name}", flush=True)
            pip = (str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
            run(*pip, "--no-deps", "--no-compile", "--require-hashes", "-r", str(lock))
            compile_all()
            MARKER.write_text(json.dumps({**marker, "path": str(VENV), lock.name: digest}))
        write_pth()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except PermissionError as error:
        sys.exit(f"{error}\nDoes this folder belong to you? Another user's .venv cannot be used.")
