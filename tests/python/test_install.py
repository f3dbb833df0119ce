"""`make install`: a .venv that is whole, of this place and up to date, or a clear word."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import install
from common.embedded_postgres import Cluster
from common.project import ROOT

pytestmark = pytest.mark.journey


class Clone:
    """What `install.py` needs of a clone, with a lock file of no packages."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "scripts" / "common", root / "scripts" / "common")
        shutil.copy(ROOT / "scripts" / "install.py", root / "scripts")
        (root / "requirements.lock").write_text("# nothing\n")

    def command(self) -> list[str]:
        return [sys.executable, "-B", str(self.root / "scripts" / "install.py")]

    def install(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(),
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
        )

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def server(self) -> str:
        """Where a Python of .venv looks for the server when nothing is exported."""
        return self.says("import os; print(os.environ['MEDALLION_PGHOST'])")

    def says(self, program: str) -> str:
        environment = {k: v for k, v in os.environ.items() if k != "MEDALLION_PGHOST"}
        python = [str(self.venv / "bin" / "python"), "-c", program]
        done = subprocess.run(python, env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "it's a clone")


def test_installs_once_with_nothing_of_a_home(clone: Clone) -> None:
    first = clone.install(HOME="/nonexistent", PIP_USER="1", PYTHONPATH="/nonexistent")
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stdout
    assert clone.server() == str(Cluster.of_clone(clone.root).socket_dir)
    knobs = "import gc, sys; print(*gc.get_threshold(), round(sys.getswitchinterval(), 3))"
    assert clone.says(knobs) == "50000 20 50 0.05"
    second = clone.install()
    assert (second.returncode, second.stdout) == (0, "")

    (clone.root / "requirements.lock").write_text("# still nothing\n")
    changed = clone.install()
    assert "Installing requirements.lock" in changed.stdout
    assert "Making" not in changed.stdout


def test_a_moved_clone_gets_a_new_venv(clone: Clone) -> None:
    clone.install()
    before = clone.server()
    clone.root = clone.root.rename(clone.root.with_name("another place"))
    moved = clone.install()
    assert "Making .venv" in moved.stdout
    assert clone.server() == str(Cluster.of_clone(clone.root).socket_dir) != before


def test_a_failed_install_is_told_and_done_again(clone: Clone) -> None:
    lock = clone.root / "requirements.lock"
    lock.write_text("./missing.whl\n")
    failed = clone.install()
    assert failed.returncode == 1
    assert "run `make install` again" in failed.stderr
    lock.write_text("# nothing\n")
    again = clone.install()
    assert again.returncode == 0
    assert "Making .venv" in again.stdout


def test_a_killed_install_is_done_again(clone: Clone) -> None:
    process = subprocess.Popen(clone.command(), start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not (clone.venv / "bin").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    again = clone.install()
    assert again.returncode == 0
    assert "Making .venv" in again.stdout
    assert clone.server()


def test_two_at_once_make_one_venv(clone: Clone) -> None:
    both = [subprocess.Popen(clone.command(), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Making .venv" in output for output in outputs) == 1


def test_an_unsupported_python_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "SUPPORTED", [(2, 7)])
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SystemExit, match=r"needs Python 3.10 to 3.13[^$]+make install PYTHON="):
        install.use_supported_python()


def test_a_debian_without_venv_is_told_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=r"apt-get install python3\.\d+-venv"):
        install.make_venv()


def old_python() -> str | None:
    """Some Python of this machine that is too old; pyenv's need not be on the PATH."""
    names = [shutil.which(f"python3.{minor}") for minor in range(6, 10)]
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python3"))
    for python in (*filter(None, names), *map(str, pyenv)):
        if subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0:
            return python
    return None


def test_an_old_python_is_told_rather_than_confused(tmp_path: Path) -> None:
    python = old_python()
    if python is None:
        pytest.skip("there is no Python 3.6 to 3.9 on this machine")
    done = subprocess.run(
        [python, *Clone(tmp_path).command()[1:]],
        env={"PATH": "/nonexistent"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Medallion needs Python 3.10 to 3.13")
