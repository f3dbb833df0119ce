"""Whether programs of this .venv can load Microsoft's ODBC driver under its name."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from common import odbc
from common.sources import kind_of
from diagnosis.finding import Finding, ok, problem, warning

CHECK = "odbc driver"


def has_sqlserver_url() -> bool:
    """Whether some variable, a source's, leads to a SQL Server."""
    return any(kind_of(value) == "sqlserver" for value in os.environ.values())


def check_odbc(is_needed: bool) -> Finding:
    """Loads the driver as pyodbc would; without SQL Server a failure is only a warning."""
    complain = problem if is_needed else warning
    spec, driver = find_spec("pyodbc"), odbc.registered_driver()
    if driver is None:
        found = f'no "{odbc.DRIVER}" is registered'
        return complain(CHECK, found, "`make install` registers the one that a wheel brings.")
    binaries = [Path(spec.origin)] if spec and spec.origin else []
    return check_libraries([*binaries, driver], is_needed)


def check_libraries(binaries: list[Path], is_needed: bool) -> Finding:
    """Looks for what the manager's module and the driver, the last of them, are linked to."""
    complain = problem if is_needed else warning
    driver = binaries[-1]
    if not driver.exists():
        return complain(CHECK, f"{driver} is gone", "`make install` registers it anew.")
    if missing := odbc.missing_libraries(binaries):
        only = "" if is_needed else " Only SQL Server needs it."
        found = f"{', '.join(missing)} missing"
        return complain(CHECK, found, odbc.how_to_install(missing) + only)
    try:
        import pyodbc  # type: ignore[import-not-found, unused-ignore]

        names = pyodbc.drivers()
    except ImportError as error:
        return complain(CHECK, str(error), "`make install` mends .venv.")
    if odbc.DRIVER not in names:
        found = f'the ODBC manager knows no "{odbc.DRIVER}"'
        return complain(CHECK, found, f"Unset {odbc.VARIABLE}, or register the driver there.")
    whose = "the wheel's" if odbc.is_packaged(driver) else "the system's"
    return ok(CHECK, f'"{odbc.DRIVER}" loads, {whose} ({driver.name})')
