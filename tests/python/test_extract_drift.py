"""What becomes of landing when the source's columns change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from databases import Database
from extraction.spec import TableSpec
from extraction_support import Shop, cursor_spec, spec
from warehouses import ON_EITHER

BOTH = pytest.mark.parametrize(
    "table", [spec(primary_key=("id",)), cursor_spec()], ids=["full", "cursor"]
)


@pytest.fixture
def items(shop: Shop) -> Shop:
    shop.source.execute(
        "create table item (id int primary key, size int, name text, updated_at timestamptz);"
        "insert into item values (1, 10, 'one', '2026-01-01')"
    )
    return shop


def _change(shop: Shop, statement: str) -> None:
    shop.source.execute(statement)
    shop.source.execute("insert into item (id, updated_at) values (2, now())")


def _types(shop: Shop) -> dict[str, str]:
    return dict(
        shop.warehouse.query(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'landing_shop' and column_name not like '\\_%%'",
            [],
        )
    )


@BOTH
def test_a_new_column_is_added(items: Shop, table: TableSpec) -> None:
    items.load(table)
    _change(items, "alter table item add column colour text default 'red'")
    assert items.load(table).changes == ["colour added as text"]
    assert (2, "red") in items.landed(table, "id, colour")
    assert items.load(table).changes == [], "reported once"


@BOTH
def test_a_missing_column_becomes_null_and_is_reported(items: Shop, table: TableSpec) -> None:
    items.load(table)
    _change(items, "alter table item drop column name")
    assert items.load(table).changes == ["name is missing at the source, null from now on"]
    assert (2, None) in items.landed(table, "id, name")
    assert _types(items)["name"] == "text"


@BOTH
def test_a_wider_type_widens(items: Shop, table: TableSpec) -> None:
    items.load(table)
    _change(items, "alter table item alter column size type bigint using 5000000000")
    assert items.load(table).changes == ["size widened from int4 to int8"]
    assert _types(items)["size"] == "bigint"


@BOTH
def test_a_narrower_type_fits_as_it_is(items: Shop, table: TableSpec) -> None:
    items.load(table)
    _change(items, "alter table item alter column size type smallint")
    assert items.load(table).changes == []
    assert _types(items)["size"] == "integer"


@BOTH
def test_a_longer_text_is_no_change_at_all(items: Shop, table: TableSpec) -> None:
    items.source.execute("alter table item alter column name type varchar(5)")
    items.load(table)
    _change(items, "alter table item alter column name type varchar(500)")
    assert items.load(table).changes == []


@BOTH
def test_an_incompatible_type_stops_the_table_with_the_old_data_intact(
    items: Shop, table: TableSpec
) -> None:
    items.load(table)
    before = items.landed(table)
    _change(items, "alter table item alter column size type text")
    error = items.fail(table)
    assert "size was int4 and is now text" in error
    assert 'alter table "landing_shop"."item"' in error, "the message says what to do"
    assert items.landed(table) == before
    remedy = error.split("such as: ")[1].split(";")[0]
    items.warehouse.execute(remedy)
    items.load(table)
    assert (1, "10") in items.landed(table, "id, size")


@BOTH
def test_the_other_remedy_starts_a_column_anew(items: Shop, table: TableSpec) -> None:
    items.load(table)
    _change(items, "alter table item alter column name type bytea using 'x'")
    items.warehouse.execute(items.fail(table).split("start anew): ")[1])
    items.load(table)
    assert {"name", "name_old"} <= set(_types(items))


@BOTH
def test_a_frozen_schema_lets_nothing_in(items: Shop, table: TableSpec) -> None:
    frozen = replace(table, schema_drift="freeze")
    items.load(frozen)
    before = items.landed(table)
    for statement in (
        "alter table item add column colour text",
        "alter table item drop column colour; alter table item alter column size type bigint",
        "alter table item alter column size type int; alter table item drop column name",
    ):
        items.source.execute(statement)
        assert "frozen" in items.fail(frozen)
    assert items.landed(table) == before


@BOTH
def test_an_ignored_change_leaves_landing_as_it_is(items: Shop, table: TableSpec) -> None:
    ignoring = replace(table, schema_drift="ignore")
    items.load(ignoring)
    before = _types(items)
    _change(items, "alter table item add column colour text, drop column name")
    assert len(items.load(ignoring).changes) == 2
    assert _types(items) == before
    items.source.execute("alter table item alter column size type numeric")
    assert "evolve" in items.fail(ignoring), "a wider type is refused, not rounded"
    assert _types(items) == before


def test_a_new_key_cannot_be_ignored(items: Shop) -> None:
    items.load(spec(schema_drift="ignore"))
    items.source.execute("alter table item add column key int")
    error = items.fail(spec(schema_drift="ignore", primary_key=("key",), deletes="soft"))
    assert "no column key" in error
    assert "evolve" in error


def test_a_table_without_columns_is_refused(shop: Shop) -> None:
    shop.source.execute("create table item ()")
    assert "no column that can land" in shop.fail(spec())


def test_a_column_that_the_declaration_names_must_be_there(items: Shop) -> None:
    error = items.fail(cursor_spec(cursor="modified"))
    assert "'modified'" in error
    assert "updated_at" in error, "the message names what is there"


@ON_EITHER
@BOTH
def test_a_name_that_the_warehouse_would_cut_is_refused(items: Shop, table: TableSpec) -> None:
    limit = 63 if isinstance(items.warehouse, Database) else 128
    longest, too_long = "é" + "n" * (limit - 2), "é" + "n" * limit
    error = items.fail(replace(table, rename={"name": too_long}))
    assert f"'name' lands as {too_long}" in error
    assert f"at most {limit} " in error
    assert not items.has_landed(table)
    if limit == 63:  # the other takes more, which not every server that speaks T-SQL does
        items.load(replace(table, rename={"name": longest}))
        assert items.load(replace(table, rename={"name": longest})).changes == []
    error = items.fail(replace(table, landing=("landing_shop", "t" * 129)))
    assert f"its landing table, {'t' * 129}, has a longer name" in error


def test_a_new_column_with_a_long_name_lands_under_a_shorter_one(items: Shop) -> None:
    items.load(cursor_spec())
    items.source.execute(f'alter table item add column "{"Ab" * 31}" int')
    (change,) = items.load(cursor_spec()).changes
    assert len(change.split()[0]) == 63
    assert items.load(cursor_spec()).changes == []


def test_a_column_named_like_metadata_needs_a_rename(items: Shop) -> None:
    items.source.execute("alter table item add column _batch_id int")
    assert "rename" in items.fail(spec())
    items.load(spec(rename={"_batch_id": "source_batch_id"}))
