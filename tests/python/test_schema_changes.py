"""What SQL Server takes for a change of an incremental model's columns.

Without a server: dbt's own findings go in, what is left of them comes out. test_cross_engine.py
builds every incremental model twice where a server is at hand.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment

from common.project import ROOT

MACRO = ROOT / "macros" / "project" / "check_for_schema_changes.sql"

TEXT = {"column_name": "status", "new_type": "varchar(max)"}
NUMBER = {"column_name": "amount", "new_type": "decimal(38,4)"}
NO_TEXT_BEFORE = {"column_name": "amount", "new_type": "varchar(max)"}
SHORTER = {"column_name": "status", "new_type": "varchar(20)"}


def found(*types: dict[str, str], new: list[str] | None = None, contract: bool = True) -> Any:  # noqa: ANN401
    """What the macro makes of these findings, in a table of a text and a number."""
    told: list[Any] = []
    names = new or []
    findings = {
        "schema_changed": bool(types or names),
        "source_not_in_target": names,
        "target_not_in_source": [],
        "target_columns": [
            SimpleNamespace(name="status", dtype="varchar"),
            SimpleNamespace(name="amount", dtype="decimal"),
        ],
        "new_target_types": list(types),
    }
    environment = Environment(extensions=["jinja2.ext.do"], autoescape=True)
    environment.globals |= {
        "config": {"contract": SimpleNamespace(enforced=contract)},
        "dbt": SimpleNamespace(default__check_for_schema_changes=lambda *_: findings),
        "return": told.append,
    }
    macros: Any = environment.from_string(MACRO.read_text()).module
    macros.sqlserver__check_for_schema_changes(None, None)
    return told[0]


@pytest.mark.unit
def test_a_text_without_limit_is_the_contract_s_text() -> None:
    assert found(TEXT)["new_target_types"] == []
    assert not found(TEXT)["schema_changed"]


@pytest.mark.unit
@pytest.mark.parametrize("change", [NUMBER, NO_TEXT_BEFORE, SHORTER])
def test_any_other_type_is_a_change(change: dict[str, str]) -> None:
    assert found(TEXT, change)["new_target_types"] == [change]
    assert found(TEXT, change)["schema_changed"]


@pytest.mark.unit
def test_another_column_is_a_change() -> None:
    assert found(TEXT, new=["channel"])["schema_changed"]


@pytest.mark.unit
def test_without_a_contract_dbt_is_right() -> None:
    assert found(TEXT, contract=False)["new_target_types"] == [TEXT]
