"""Names as a case-sensitive database knows them, in all that scripts ask of a SQL Server."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.project import ROOT
from databases import SQLSERVER, Database, temporary_sqlserver_database
from extraction_support import Shop, cursor_spec, spec

# Views and their columns: those of the catalogue in small letters, the standard's in capitals.
CATALOGUE = re.compile(r"\bsys\.\w+", re.IGNORECASE)
STANDARD = re.compile(r"\binformation_schema\.\w+", re.IGNORECASE)
STANDARD_COLUMN = re.compile(
    r"\b(?:table|column|schema|data|is|ordinal|character|numeric|constraint|view)_\w+",
    re.IGNORECASE,
)
CHANGE = re.compile(r"\bsys_change_\w+", re.IGNORECASE)


def misspelled(sql: str) -> list[str]:
    """The names in a query that a case-sensitive database doesn't know."""
    capitals = [*STANDARD.findall(sql), *CHANGE.findall(sql)]
    if STANDARD.search(sql):
        capitals += STANDARD_COLUMN.findall(STANDARD.sub("", sql))
    small = CATALOGUE.findall(sql)
    return [name for name in capitals if name != name.upper()] + [
        name for name in small if name != name.lower()
    ]


def asked() -> Iterator[tuple[Path, str]]:
    """Each SQL script, and each text of a Python file that speaks to SQL Server."""
    for path in (ROOT / "scripts").rglob("*"):
        if path.suffix == ".sql" and "sqlserver" in path.parts:
            yield path, path.read_text()
        if path.suffix == ".py":
            text = path.read_text()
            if "sqlserver" not in str(path.relative_to(ROOT)) and "INFORMATION_SCHEMA" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield path, node.value


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select name from sys.Tables", ["sys.Tables"]),
        ("select name from SYS.tables", ["SYS.tables"]),
        ("select TABLE_NAME from information_schema.tables", ["information_schema.tables"]),
        ("select table_name from INFORMATION_SCHEMA.TABLES", ["table_name"]),
        ("where ct.sys_change_operation = 'D'", ["sys_change_operation"]),
        ("select c.name from sys.columns as c where c.is_nullable = 1", []),
        ("select TABLE_NAME from INFORMATION_SCHEMA.TABLES", []),
    ],
)
def test_a_name_in_the_wrong_case_is_found(sql: str, found: list[str]) -> None:
    assert misspelled(sql) == found


def test_a_case_sensitive_database_knows_all_that_it_is_asked_for() -> None:
    texts = list(asked())
    assert any("sys.columns" in text for _, text in texts)
    assert any("INFORMATION_SCHEMA" in text for _, text in texts)
    found = {str(path.relative_to(ROOT)): misspelled(text) for path, text in texts}
    assert {path: names for path, names in found.items() if names} == {}


def test_an_alias_or_a_variable_is_written_in_one_way() -> None:
    for path, text in asked():
        names: dict[str, set[str]] = {}
        for name in re.findall(r"(?<![\w'@])@\w+|\b[a-z]\w*(?=\.\[?\w)", text, re.IGNORECASE):
            names.setdefault(name.lower(), set()).add(name)
        assert [both for both in names.values() if len(both) > 1] == [], path


@pytest.mark.sqlserver
@pytest.mark.skipif(SQLSERVER not in os.environ, reason=f"needs a SQL Server: set {SQLSERVER}")
def test_a_case_sensitive_source_is_read(warehouse: Database) -> None:
    with temporary_sqlserver_database("source", ["Latin1_General_100_BIN2"]) as source:
        shop = Shop(source, warehouse)
        source.execute("create table item (id int primary key, name varchar(9), updated_at int)")
        source.execute("insert into item values (1, 'a', 1), (2, 'A', 1)")
        by_cursor = cursor_spec(
            kind="sqlserver", from_=("dbo", "item"), deletes="soft", lookback=None
        )
        compared = spec(
            kind="sqlserver",
            from_=("dbo", "item"),
            landing=("landing_shop", "compared"),
            mode="compare",
            primary_key=("id",),
        )
        assert (shop.load(by_cursor).rows, shop.load(compared).rows) == (2, 2)
        source.execute("delete from item where name = 'A'")
        source.execute("update item set name = 'B' where name = 'a'")
        assert (shop.load(by_cursor).deleted, shop.load(compared).rows) == (1, 1)
        missing = shop.fail(spec(kind="sqlserver", from_=("dbo", "items")))
        assert "It sees: dbo.item" in missing
