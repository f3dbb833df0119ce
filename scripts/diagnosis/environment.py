"""Python, the packages of the lock file, and .env."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from diagnosis.finding import Finding, ok, problem, warning

OLDEST, TOO_NEW = (3, 10), (3, 14)  # as in pyproject.toml
SHOWN = 3


def check_python(running: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    found = ".".join(map(str, running))
    if OLDEST <= running[:2] < TOO_NEW:
        return ok("python", found)
    remedy = "Install Python 3.10 to 3.13, then `make clean install PYTHON=python3.12`."
    return problem("python", f"{found} is not supported", remedy)


def locked(lock: Path) -> Iterator[Requirement]:
    """The requirements of a lock file that hold on this platform and Python."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            requirement = Requirement(line.rstrip(" \\"))
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement


def check_packages(lock: Path) -> Finding:
    different = []
    for requirement in locked(lock):
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            different.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            different.append(f"{requirement.name} is {installed}, not {requirement.specifier}")
    if different:
        rest = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
        found = f"not as in {lock.name}: {'; '.join(different[:SHOWN])}{rest}"
        return problem("packages", found, "`rm -rf .venv && make install` makes .venv again.")
    names = ("dbt-core", "dbt-postgres", "dbt-sqlserver")
    shown = ", ".join(f"{name} {version(name)}" for name in names)
    return ok("packages", f"as in {lock.name}: {shown}")


def check_dotenv(path: Path, environment: Mapping[str, str] = os.environ) -> Finding | None:
    """Whether what .env sets is set; None without a .env, which nobody needs."""
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [match[1] for line in lines if (match := re.match(r"\s*(?:export\s+)?(\w+)=", line))]
    unset = [name for name in names if name not in environment]
    if not unset:
        return ok(".env", f"{len(names)} variables, all set")
    found = f"not loaded: {', '.join(unset)} not set"
    return warning(".env", found, "Nothing reads it by itself: `set -a; . ./.env; set +a`.")
