"""Every cross-database macro and every generic test, proven by the fixture project's one build."""

from __future__ import annotations

import re

import pytest
import yaml

import portable_sql
from common.project import ROOT

GENERIC_TESTS = sorted(path.stem for path in (ROOT / "tests" / "generic").glob("*.sql"))


def declared_names() -> list[str]:
    """The names of all fixture tests: `<test>__passes…` or `<test>__fails_by_<n>…`."""
    models = portable_sql.models("generic_tests")
    owners = [*models, *(column for model in models for column in model.get("columns", []))]
    return [
        arguments["name"]
        for owner in owners
        for test in owner.get("data_tests", [])
        for arguments in test.values()
    ]


@pytest.mark.parametrize("name", declared_names())
def test_generic_test_finds_what_is_wrong_and_nothing_else(name: str) -> None:
    expected = re.search(r"__fails_by_(\d+)", name)
    result = portable_sql.build()[name]
    assert result.status == ("warn" if expected else "pass"), result.message
    assert result.failures == (int(expected[1]) if expected else 0)


@pytest.mark.parametrize("name", GENERIC_TESTS)
def test_generic_test_is_proven_both_ways(name: str) -> None:
    names = declared_names()
    assert any(proof.startswith(f"{name}__passes") for proof in names)
    assert any(proof.startswith(f"{name}__fails_by_") for proof in names)


@pytest.mark.parametrize("name", GENERIC_TESTS)
def test_generic_test_is_documented_with_an_example(name: str) -> None:
    properties = (ROOT / "tests" / "generic" / "_generic_tests.yml").read_text()
    documented = {
        macro["name"]: macro["description"] for macro in yaml.safe_load(properties)["macros"]
    }
    assert f"- {name}" in documented[f"test_{name}"]


CROSS_DB = sorted(path.stem for path in (ROOT / "macros" / "cross_db").glob("*.sql"))
CASES = portable_sql.FIXTURE / "models" / "macros"

MISTAKES = {
    "error__bronze_key": "its unique_key; it has ['customer_id']",
    "error__bronze_not_incremental": "Make the model incremental",
    "error__business_time_zone": "has no zone for",
    "error__date_part": "Use one of: year, isoyear",
    "error__gaps": "Use one of: allowed, not_allowed, required",
    "error__matches_regex": "Give matches_regex (or the test that calls it) a tsql_condition",
    "error__outside_range": "needs min_value, max_value or both",
    "error__schema_name": "Name it after its environment: dev, ci, staging or prod",
    "error__surrogate_key": "takes a list of columns",
}


@pytest.mark.parametrize("model", [model["name"] for model in portable_sql.models("macros")])
def test_macro_gives_what_is_expected(model: str) -> None:
    """A failure counts the wrong rows; `select * from <model>` shows actual beside expected."""
    results = portable_sql.build()
    assert results[model].status == "success", results[model].message
    assert results[f"{model}__is_as_expected"].failures == 0


@pytest.mark.parametrize(("model", "advice"), MISTAKES.items())
def test_wrong_call_is_told_what_to_do_instead(model: str, advice: str) -> None:
    result = portable_sql.build()[model]
    assert result.status == "error"
    assert advice in result.message


@pytest.mark.parametrize("macro", CROSS_DB)
def test_every_macro_has_cases(macro: str) -> None:
    proven_by_generic_tests = {"column_type_differences"}
    cases = "".join(path.read_text() for path in CASES.glob("*.sql"))
    called = f"medallion.{macro}(" in cases or f"dbt.{macro}(" in cases
    assert called or macro in proven_by_generic_tests


@pytest.mark.parametrize("macro", CROSS_DB)
def test_every_macro_says_what_fails_without_it(macro: str) -> None:
    text = (ROOT / "macros" / "cross_db" / f"{macro}.sql").read_text()
    assert "Without it:" in text[: text.index("#}")]


def test_every_case_file_is_checked() -> None:
    assert {path.stem for path in CASES.glob("*.sql")} == {
        model["name"] for model in portable_sql.models("macros")
    }
