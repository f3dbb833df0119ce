"""Microsoft's ODBC driver for SQL Server from a wheel: no system repository, no root.

The wheel `mssql-python-odbc` brings the driver's files. `make install` registers them under the
driver's usual name in an odbcinst.ini of this .venv, so that profiles.yml, dbt and scripts name it
as they would any other. A driver that is installed on the system is left alone, and used.

dbt opens a connection for each node: for it alone, by a file of its own, connections are pooled.
unixODBC pools all of a process or none, and a session that outlives its connection keeps its locks,
which the scripts can't have.

Needs nothing but the standard library: scripts/install.py runs it before there is a .venv.
"""

from __future__ import annotations

import configparser
import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

DRIVER = "ODBC Driver 18 for SQL Server"
PACKAGE = "mssql_python_odbc"
# unixODBC reads its odbcinst.ini from this folder, instead of the one it was built for.
VARIABLE = "ODBCSYSINI"
INI = "odbcinst.ini"
POOLED = "pooled"
# Seconds a connection that was closed is kept for the next one: dbt opens one for each node.
KEPT_FOR = 60

# Where unixODBC's builds look: Debian and Fedora; SUSE; from source; Homebrew.
_SYSTEM_FOLDERS = ("/etc", "/etc/unixODBC", "/usr/local/etc", "/opt/homebrew/etc")
# The wheel's driver by the file that only this family of systems has, as its makers choose it.
_FAMILIES = (
    ("rhel", ("/etc/redhat-release", "/etc/centos-release")),
    ("suse", ("/etc/SuSE-release", "/etc/SUSE-brand")),
    ("debian_ubuntu", ("/",)),
)

# The packages that hold the libraries, by what installs them.
_INSTALLERS = ("apt-get install", "dnf install", "zypper install", "brew install")
_PACKAGES = {
    "libodbc": ("unixodbc", "unixODBC", "unixODBC", "unixodbc"),
    "libodbcinst": ("unixodbc", "unixODBC", "unixODBC", "unixodbc"),
    "libltdl": ("libltdl7", "libtool-ltdl", "libltdl7", "libtool"),
    "libkrb5": ("libkrb5-3", "krb5-libs", "krb5", "krb5"),
    "libgssapi_krb5": ("libgssapi-krb5-2", "krb5-libs", "krb5", "krb5"),
}


def register(folder: Path, packages: Path) -> bool:
    """Writes the odbcinst.ini of a .venv whose packages are in `packages`.

    Returns whether it is to be used, with `VARIABLE`: not if the system has the driver, nor if the
    wheel has none for this platform. The system's other drivers are in it, too.
    """
    ini, driver = _installed_on_system(), _packaged_driver(packages)
    if ini.has_section(DRIVER) or driver is None:
        shutil.rmtree(folder, ignore_errors=True)
        return False
    ini[DRIVER] = {
        "Description": "Microsoft's driver, from the wheel mssql-python-odbc",
        "Driver": str(driver),
        "CPTimeout": str(KEPT_FOR),
    }
    _write(ini, folder)
    ini["ODBC"] = {**(ini["ODBC"] if ini.has_section("ODBC") else {}), "Pooling": "Yes"}
    _write(ini, folder / POOLED)
    return True


def pth_line(folder: Path) -> str:
    """What a Python does at its start, so that it finds what was registered in a folder.

    A variable that somebody else set stays as it is; one that a parent process has from here does
    not, because the parent may be a script and the child dbt.
    """
    return (
        f"import os, sys; v = {VARIABLE!r}; f = {str(folder)!a}; p = f + '/{POOLED}'; "
        "d = os.path.basename(''.join(sys.orig_argv[1:2])) == 'dbt'; "
        "os.environ.get(v, f) in (f, p) and os.environ.__setitem__(v, p if d else f)\n"
    )


def registered_driver() -> Path | None:
    """The file of the driver that programs find under its name; None if none is registered."""
    ini = _read([*_system_files(os.environ.get(VARIABLE)), Path.home() / f".{INI}"])
    return Path(ini[DRIVER]["Driver"]) if ini.has_option(DRIVER, "Driver") else None


def is_packaged(driver: Path) -> bool:
    return PACKAGE in driver.parts


def missing_libraries(binaries: Iterable[Path]) -> list[str]:
    """The shared libraries that these files need and this machine lacks, without doubles."""
    return list(dict.fromkeys(name for path in binaries for name in _missing(path)))


def how_to_install(libraries: Iterable[str]) -> str:
    """What to type on this machine so that it has these libraries."""
    found = [n for n, tool in enumerate(_INSTALLERS) if shutil.which(tool.split()[0])]
    place = found[0] if found else 0
    stems = [library.partition(".")[0] for library in libraries]
    packages = dict.fromkeys(_PACKAGES[stem][place] for stem in stems if stem in _PACKAGES)
    if not packages:
        return "Install the packages of your system that hold them."
    return f"`{_INSTALLERS[place]} {' '.join(packages)}` installs what is missing."


def _write(ini: configparser.RawConfigParser, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{INI}.{os.getpid()}"  # another process may be reading
    with draft.open("w", encoding="utf-8") as file:
        ini.write(file, space_around_delimiters=False)
    draft.replace(folder / INI)


def _missing(path: Path) -> list[str]:
    if sys.platform == "linux" and shutil.which("ldd"):  # the loader names the first one only
        done = subprocess.run(["ldd", str(path)], check=False, capture_output=True, text=True)
        return re.findall(r"^\s*(\S+) => not found", done.stdout, re.MULTILINE)
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        named = re.search(r"Library not loaded: (?:\S*/)?(\S+)|(\S+): cannot open", str(error))
        return [next(filter(None, named.groups()))] if named else [str(error)]
    return []


def _packaged_driver(packages: Path) -> Path | None:
    machine = "arm64" if platform.machine() == "aarch64" else "x86_64"
    family = next(name for name, files in _FAMILIES if any(Path(file).exists() for file in files))
    folder = packages / PACKAGE / "libs" / "linux" / family / machine / "lib"
    return next(iter(sorted(folder.glob("libmsodbcsql*.so*"))), None)


def _installed_on_system() -> configparser.RawConfigParser:
    """What is registered, but for what another .venv registered: its variable may be inherited."""
    ini = _read(_system_files(os.environ.get(VARIABLE)))
    if ini.has_option(DRIVER, "Driver") and is_packaged(Path(ini[DRIVER]["Driver"])):
        ini = _read(_system_files(None))
    return ini


def _system_files(folder: str | None) -> list[Path]:
    return [Path(name) / INI for name in ([folder] if folder else _SYSTEM_FOLDERS)]


def _read(files: Iterable[Path]) -> configparser.RawConfigParser:
    ini = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=(";", "#"))
    ini.optionxform = str  # type: ignore[assignment, method-assign]
    for path in files:
        try:
            ini.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # not one that unixODBC could use
    return ini
