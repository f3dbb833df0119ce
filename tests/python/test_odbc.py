"""Microsoft's driver from the wheel: registered by `make install`, found by its usual name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import parsed
from commands import script
from common import odbc
from diagnosis.finding import Level
from diagnosis.odbc import check_libraries
from test_install import Clone

spec = find_spec(odbc.PACKAGE)
PACKAGES = Path(spec.origin).parents[1] if spec and spec.origin else None
needs_wheel = pytest.mark.skipif(
    PACKAGES is None, reason="mssql-python-odbc has no wheel for this system"
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose .venv holds the wheel."""
    made = Clone(tmp_path_factory.mktemp("odbc") / "it's a clone")
    made.install()
    found = next((made.venv / "lib").glob("python3*/site-packages"))
    assert PACKAGES
    (found / odbc.PACKAGE).symlink_to(PACKAGES / odbc.PACKAGE)
    return made


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without any driver, whatever this one has."""
    return {odbc.VARIABLE: str(tmp_path)}


def variable(clone: Clone, environment: dict[str, str] | None = None, program: str = "x") -> str:
    """Where a program of this .venv lets the ODBC manager look."""
    script = clone.venv / "bin" / program
    script.write_text(f"import os; print(os.environ.get('{odbc.VARIABLE}', ''))")
    python = [str(clone.venv / "bin" / "python"), str(script)]
    env = environment or {}
    done = subprocess.run(python, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def drivers(folder: str) -> dict[str, str]:
    """What unixODBC itself finds in a folder, and what the driver for SQL Server says."""
    if shutil.which("ldconfig") and "libodbc.so.2" not in subprocess.check_output(
        ["ldconfig", "-p"], text=True
    ):
        pytest.skip("the ODBC manager (libodbc.so.2, package unixodbc) is not installed")
    program = (
        "import json, pyodbc\n"
        "said = ''\n"
        "try: pyodbc.connect('Driver={ODBC Driver 18 for SQL Server};Server=localhost,1;UID=a;"
        "PWD=b', timeout=1)\n"
        "except pyodbc.Error as error: said = str(error)\n"
        "print(json.dumps({'names': '|'.join(pyodbc.drivers()), 'said': said}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={odbc.VARIABLE: folder, "HOME": "/nonexistent"},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@needs_wheel
def test_connections_are_pooled_for_dbt_alone(clone: Clone, bare: dict[str, str]) -> None:
    """UnixODBC pools all of a process or none; what a script closes must be closed."""
    clone.install(**bare)
    plain, pooled = variable(clone), variable(clone, program="dbt")
    assert pooled == f"{plain}/pooled"
    assert "Pooling=Yes" in (Path(pooled) / odbc.INI).read_text()
    assert "Pooling" not in (Path(plain) / odbc.INI).read_text()
    assert variable(clone, {odbc.VARIABLE: pooled}) == plain
    assert variable(clone, {odbc.VARIABLE: plain}, program="dbt") == pooled


def other_machine(folder: Path, section: str) -> dict[str, str]:
    """The environment of a machine whose odbcinst.ini names a driver."""
    folder.mkdir()
    text = f"[{section}]\nDescription = one; of many\nDriver = /opt/there/lib.so\n"
    (folder / odbc.INI).write_text(text)
    return {odbc.VARIABLE: str(folder)}


@needs_wheel
def test_a_python_of_the_venv_finds_the_wheels_driver(clone: Clone, bare: dict[str, str]) -> None:
    assert clone.install(**bare).returncode == 0
    folder = variable(clone)
    assert folder == str(clone.venv / "odbc")
    found = drivers(folder)
    assert found["names"] == odbc.DRIVER
    # The driver's own words: it was loaded, from a path with a blank and a quote in it.
    assert f"[Microsoft][{odbc.DRIVER}]" in found["said"]


@needs_wheel
def test_a_driver_of_the_system_wins(clone: Clone, bare: dict[str, str], tmp_path: Path) -> None:
    clone.install(**bare)
    assert clone.install(**other_machine(tmp_path / "etc", odbc.DRIVER)).returncode == 0
    assert variable(clone) == ""
    assert not (clone.venv / "odbc").exists()
    clone.install(**bare)
    assert variable(clone) == str(clone.venv / "odbc")


@needs_wheel
def test_other_drivers_of_the_system_stay_known(clone: Clone, tmp_path: Path) -> None:
    clone.install(**other_machine(tmp_path / "etc", "ODBC Driver 17 for SQL Server"))
    names = drivers(variable(clone))["names"].split("|")
    assert sorted(names) == ["ODBC Driver 17 for SQL Server", odbc.DRIVER]


@needs_wheel
def test_who_set_the_variable_keeps_it(clone: Clone, bare: dict[str, str], tmp_path: Path) -> None:
    clone.install(**bare)
    system = other_machine(tmp_path / "etc", "Mine")
    assert variable(clone, system) == system[odbc.VARIABLE]


@needs_wheel
def test_what_another_clone_registered_is_not_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its variable is inherited by what its Python starts."""
    assert PACKAGES
    monkeypatch.setattr(odbc, "_SYSTEM_FOLDERS", (str(tmp_path),))
    monkeypatch.delenv(odbc.VARIABLE, raising=False)
    assert odbc.register(tmp_path / "other", PACKAGES)
    monkeypatch.setenv(odbc.VARIABLE, str(tmp_path / "other"))
    assert odbc.register(tmp_path / "mine", PACKAGES)


@needs_wheel
@pytest.mark.skipif(shutil.which("ldd") is None, reason="without ldd only one library is named")
def test_a_missing_library_is_named_with_what_to_type(tmp_path: Path) -> None:
    """The real driver and the real pyodbc, linked to libraries that no machine has."""
    pyodbc, driver = find_spec("pyodbc"), odbc._packaged_driver(PACKAGES or tmp_path)
    assert pyodbc and pyodbc.origin and driver
    for path, needed in (
        (Path(pyodbc.origin), {b"libodbc.so.2": b"libodbc.so.9"}),
        (
            driver,
            {b"libgssapi_krb5.so.2": b"libgssapi_krb5.so.9", b"libkrb5.so.3": b"libkrb5.so.9"},
        ),
        (driver.with_name("libodbcinst.so.2"), {b"libltdl.so.7": b"libltdl.so.9"}),
    ):
        data = path.read_bytes()
        for old, new in needed.items():
            assert old in data
            data = data.replace(old, new)
        (tmp_path / path.name).write_bytes(data)
    binaries = [tmp_path / Path(pyodbc.origin).name, tmp_path / driver.name]
    finding = check_libraries(binaries, is_needed=True)
    assert finding.level is Level.PROBLEM
    for name in ("libodbc.so.9", "libkrb5.so.9", "libgssapi_krb5.so.9", "libltdl.so.9"):
        assert name in finding.found
    if shutil.which("apt-get"):
        wanted = "`apt-get install unixodbc libkrb5-3 libgssapi-krb5-2 libltdl7`"
        assert wanted in finding.remedy
    assert check_libraries(binaries, is_needed=False).level is Level.WARNING


@needs_wheel
def test_the_doctor_proves_that_the_driver_of_this_venv_loads() -> None:
    done = script("doctor.py", env=parsed.unconnected())
    line = next(line for line in done.stdout.splitlines() if "odbc driver:" in line)
    assert "loads" in line or "missing" in line
