""".sqlfluff finds what it is there for; `make lint` checks the project with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.project import ROOT

SQLFLUFF = Path(sys.executable).with_name("sqlfluff")


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("CP01", "SELECT a from t"),
        ("CP02", "select Amount from t"),
        ("CP04", "select NULL as a"),
        ("LT04", "select\n    a\n    , b\nfrom t"),
        ("LT05", f"select {'a' * 60} as {'b' * 60} from t"),
        ("LT02", "select\n  a,\n  b\nfrom t"),
        ("AL01", "select t.a from first t inner join second as u on t.a = u.a"),
        ("AL02", "select a + 1 b from t"),
        ("AM05", "select t.a from first as t join second as u on t.a = u.a"),
        ("AM06", "select a, count(*) as n from t group by 1"),
        ("CV01", "select a from t where a != 1"),
        ("CV11", "select a::int as b from t"),
    ],
)
def test_a_breach_is_found(code: str, statement: str, tmp_path: Path) -> None:
    path = tmp_path / "breach.sql"
    path.write_text(statement + "\n")
    result = subprocess.run(
        [
            SQLFLUFF,
            "lint",
            "--config",
            ROOT / ".sqlfluff",
            "--templater",
            "raw",
            "-f",
            "json",
            path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = {violation["code"] for violation in json.loads(result.stdout)[0]["violations"]}
    assert code in found
