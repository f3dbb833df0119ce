#!/usr/bin/env python3
"""Removes all that was made in this clone: the server with its data, .venv, artifacts, caches.

Runs under the machine's own Python, so that it works when .venv is broken or gone.
"""

from __future__ import annotations

import shutil

from common.embedded_postgres import Cluster, remove_shared_binaries
from common.project import ROOT

MADE = (".venv", "target", "logs", "dbt_packages", ".pytest_cache", ".ruff_cache", ".mypy_cache")


def main() -> None:
    Cluster.of_clone(ROOT).remove()
    remove_shared_binaries()
    caches = [
        path for folder in ("scripts", "tests") for path in (ROOT / folder).rglob("__pycache__")
    ]
    for path in (*(ROOT / name for name in MADE), *caches):
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            raise SystemExit(f"{path} cannot be removed: it belongs to {path.owner()}.")
    (ROOT / ".user.yml").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
