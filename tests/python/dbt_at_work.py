"""Imported by the server of warm.py before it forks: dbt, when it has parsed a project.

What dbt makes once in a process, of its own classes and macros and of the project's macros, is made
for all then: a second of each run's work.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import dbt.adapters.postgres  # noqa: F401
from dbt.cli.main import dbtRunner

# Not common.project's: a program of a copy of the project imports its own.
ROOT = Path(__file__).resolve().parents[2]
MODELS = "models: [{name: one, columns: [{name: id, data_tests: [unique]}]}]\n"


def _parse() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "dbt_project.yml").write_text(
            "{name: medallion, version: '1.0.0', profile: medallion,"
            " flags: {send_anonymous_usage_stats: false}}\n"
        )
        (root / "macros").symlink_to(ROOT / "macros")
        (root / "models").mkdir()
        (root / "models" / "one.sql").write_text("select 1 as id\n")
        (root / "models" / "one.yml").write_text(MODELS)
        os.environ["DBT_TARGET_PATH"] = os.environ["DBT_LOG_PATH"] = folder
        # dbt's static parser has threads of its own, which a fork would wait for in vain.
        arguments = ["--project-dir", folder, "--profiles-dir", str(ROOT), "--target", "dev"]
        arguments += ["--no-static-parser"]
        result = dbtRunner().invoke(["--quiet", "parse", *arguments])
        assert result.success, result.exception


_parse()
