"""From one SQL Server into another: documents that the driver's values become, and come back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from databases import SQLSERVER, SqlServerDatabase, temporary_sqlserver_database
from extraction.spec import TableSpec
from extraction_support import Shop, cursor_spec, spec
from warehouses import ON_SQLSERVER

pytestmark = [
    ON_SQLSERVER,
    pytest.mark.skipif(SQLSERVER not in os.environ, reason=f"needs a SQL Server: set {SQLSERVER}"),
]

# declared type, T-SQL value; all lands as the same value, text without the padding of char(n).
VALUES = [
    ("bit", "1"),
    ("tinyint", "255"),
    ("bigint", "-9223372036854775808"),
    ("decimal(38,10)", "-1234567890123456789012345678.0123456789"),
    ("money", "-922337203685477.5808"),
    ("smallmoney", "-214748.3648"),
    ("float", "0.1e0"),
    ("float", "1.7976931348623157e308"),
    ("real", "16777.217e0"),
    ("date", "'0001-01-01'"),
    ("datetime", "'2026-02-28T23:59:59.997'"),
    ("smalldatetime", "'2026-02-28T23:59:00'"),
    ("datetime2(6)", "'9999-12-31T23:59:59.999999'"),
    ("time(6)", "'23:59:59.999999'"),
    ("varchar(20)", "'a  '"),
    ("nvarchar(20)", "N'日本🎉\\\"'"),
    ("nvarchar(max)", "replicate(convert(nvarchar(max), N'x🎉'), 40000)"),
    ("uniqueidentifier", "'0E984725-C51C-4BF4-9960-E1C80E27ABA0'"),
    ("varbinary(10)", "0x00ff5c"),
    ("varbinary(max)", "0x"),
    ("text", "'long'"),
    ("ntext", "N'lünger'"),
    ("image", "0x0102"),
    ("xml", "N'<a b=\"ü\">1</a>'"),
]
KEYS = [
    # declared type, of the key that goes and comes back; another
    ("int", "-5", "6"),
    ("bigint", "-9223372036854775808", "9223372036854775807"),
    ("nvarchar(20)", "N'ü'' x'", "N'b'"),
    ("char(4)", "'ab'", "'cd'"),
    ("uniqueidentifier", "'0E984725-C51C-4BF4-9960-E1C80E27ABA0'", "newid()"),
    ("datetime", "'2026-01-01T10:00:00.123'", "'2026-01-01'"),
    ("smalldatetime", "'2026-01-01T10:00:00'", "'2026-01-01'"),
    ("datetime2(3)", "'2026-01-01T10:00:00.123'", "'2026-01-01'"),
    ("datetimeoffset(3)", "'2026-01-01T10:00:00.123+02:00'", "'2026-01-01'"),
    ("time(3)", "'10:00:00.123'", "'10:00'"),
    ("decimal(9,2)", "1.50", "2.5"),
    ("money", "1.5", "2.5"),
    ("binary(2)", "0x4142", "0x4143"),
    ("bit", "1", "0"),
]


@pytest.fixture
def source() -> Iterator[SqlServerDatabase]:  # the one that the fixture `shop` takes
    with temporary_sqlserver_database("source", [None]) as database:
        yield database


def table(table: str = "item", **changes: Any) -> TableSpec:  # noqa: ANN401
    return spec(table, **{"kind": "sqlserver", "from_": ("dbo", table), **changes})


def cursor(table: str = "item", **changes: Any) -> TableSpec:  # noqa: ANN401
    defaults = {"kind": "sqlserver", "from_": ("dbo", table), "deletes": "soft", "lookback": None}
    return cursor_spec(table, **{**defaults, **changes})


def test_every_value_lands_as_it_is(shop: Shop, source: SqlServerDatabase) -> None:
    columns = {f"c{n:02}": case for n, case in enumerate(VALUES)}
    declared = ", ".join(f"{name} {type_} null" for name, (type_, _) in columns.items())
    source.execute(f"create table item (id int primary key, {declared})")
    source.execute(f"insert into item select 1, {', '.join(value for _, value in VALUES)}")
    source.execute("insert into item (id) values (2)")
    assert shop.load(table()).rows == 2
    is_text = {name for name, (type_, _) in columns.items() if "char" in type_}
    shown = ", ".join(f"convert(nvarchar(max), {c})" if c in is_text else c for c in columns)
    there = source.query(f"select {shown} from item order by id")
    here = shop.warehouse.query(f"select {shown} from landing_shop.item order by id")
    assert here == there


def test_a_moment_with_zone_lands_in_utc(shop: Shop, source: SqlServerDatabase) -> None:
    source.execute("create table item (id int, moment datetimeoffset(6))")
    source.execute("insert into item values (1, '2026-03-01T01:02:03.123456-03:30')")
    shop.load(table())
    (landed,) = shop.warehouse.query(
        "select convert(varchar(40), moment, 121) from landing_shop.item"
    )
    assert landed == ("2026-03-01 04:32:03.123456",)


def test_changes_deletes_and_returns(shop: Shop, source: SqlServerDatabase) -> None:
    source.execute("create table item (id int primary key, name nvarchar(20), updated_at int)")
    source.execute("insert into item values (1, N'a', 0), (2, N'b', 0), (3, N'c', 1)")
    assert shop.load(cursor()).rows == 3
    source.execute("alter table item add size int")
    assert shop.load(cursor()).changes == ["size added as int"]
    source.execute("delete from item where id = 1")
    source.execute("update item set updated_at = 2, size = 5 where id = 2")
    changed = shop.load(cursor())
    assert (changed.rows, changed.deleted) == (1, 1)
    source.execute("insert into item (id, name, updated_at) values (1, N'back', 0)")
    assert shop.load(cursor()).restored == 1
    current = shop.current(cursor(), "id, convert(nvarchar(20), name)")
    assert current == [(1, "back"), (2, "b"), (3, "c")]
    assert shop.load(cursor()).rows == 0


def test_mode_full_is_replaced_only_if_it_changed(shop: Shop, source: SqlServerDatabase) -> None:
    source.execute("create table item (id int primary key, name nvarchar(20))")
    source.execute("insert into item values (1, N'a')")
    assert shop.load(table()).rows == 1
    assert shop.load(table()).rows == 0
    source.execute("update item set name = N'b'")
    assert shop.load(table()).rows == 1
    assert shop.landed(table(), "convert(nvarchar(20), name)") == [("b",)]


def test_keys_of_each_type_are_found_again(shop: Shop, source: SqlServerDatabase) -> None:
    hex_ = "select convert(varchar(max), convert(varbinary(max), 0x4142), 2)"
    for n, (declared, value, other) in enumerate(KEYS):
        if declared.startswith("binary") and source.scalar(hex_) != "4142":
            continue  # this server writes no hexadecimal digits
        soft = cursor(f"item{n}")
        source.execute(f"create table item{n} (id {declared} primary key, updated_at int, nr int)")
        source.execute(f"insert into item{n} values ({value}, 1, 1), ({other}, 1, 2)")
        shop.load(soft)
        source.execute(f"delete from item{n} where nr = 1")
        assert shop.load(soft).deleted == 1, declared
        source.execute(f"insert into item{n} values ({value}, 0, 1)")  # below the watermark
        assert shop.load(soft).restored == 1, declared
