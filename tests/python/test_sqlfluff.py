""".sqlfluff finds what it is there for; `make lint` checks the project with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.project import ROOT

pytestmark = pytest.mark.unit

SQLFLUFF = Path(sys.executable).with_name("sqlfluff")


BREACHES = [
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
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The codes of what is found in a file named after each code, all in one run."""
    folder = tmp_path_factory.mktemp("breaches")
    for code, statement in BREACHES:
        (folder / f"{code}.sql").write_text(statement + "\n")
    options = ["--config", str(ROOT / ".sqlfluff"), "--templater", "raw", "-f", "json"]
    done = subprocess.run(
        [SQLFLUFF, "lint", *options, folder], capture_output=True, text=True, check=False
    )
    return {
        Path(file["filepath"]).stem: {violation["code"] for violation in file["violations"]}
        for file in json.loads(done.stdout)
    }


@pytest.mark.parametrize("code", [code for code, _ in BREACHES])
def test_a_breach_is_found(code: str, found: dict[str, set[str]]) -> None:
    assert code in found[code]
