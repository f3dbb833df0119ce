"""Mode compare: a table that says nowhere when a row changed; only rows that differ land."""

from __future__ import annotations

from dataclasses import replace

import pytest

from extraction_support import Sent, Shop, spec
from warehouses import ON_EITHER

ROWS = 50_000
TABLE = spec(mode="compare", primary_key=("id",), deletes="soft")
CURRENT = "select id, name, price from item order by id"


@pytest.fixture
def items(shop: Shop) -> Shop:
    shop.source.execute(
        "create table item (id int primary key, name text, price numeric(9, 2));"
        f"insert into item select i, 'item ' || i, i / 4.0 from generate_series(1, {ROWS}) as i"
    )
    assert shop.load(TABLE).rows == ROWS
    return shop


def _assert_current(shop: Shop) -> None:
    assert shop.current(TABLE, "id, name, price") == shop.source.query(CURRENT)


@ON_EITHER
def test_only_rows_that_differ_land(items: Shop) -> None:
    items.source.execute(
        "update item set name = 'another' where id in (1, 40000);"
        "update item set name = null where id = 2;"
        "update item set name = name where id < 1000;"
        f"insert into item values ({ROWS + 1}, 'new', 1), (-5, 'below zero', 2);"
        "delete from item where id in (3, 20000)"
    )
    sent = Sent()
    result = items.load(TABLE, observer=sent)
    assert (result.rows, result.deleted, result.restored) == (5, 2, 0)
    assert sent.total < ROWS / 100, "only ranges that differ leave the source"
    _assert_current(items)
    assert items.batches() == ["loaded", "loaded"]


@ON_EITHER
def test_nothing_leaves_the_source_while_nothing_changes(items: Shop) -> None:
    sent = Sent()
    result = items.load(TABLE, observer=sent)
    assert (result.rows, result.deleted, sent.total) == (0, 0, 0)


@ON_EITHER
def test_a_row_that_goes_is_flagged_until_it_returns(items: Shop) -> None:
    items.source.execute("delete from item where id in (7, 8)")
    assert items.load(TABLE).deleted == 2
    assert items.load(TABLE).deleted == 0, "flagged once"
    items.source.execute("insert into item values (7, 'item 7', 1.75), (8, 'is back', 2)")
    result = items.load(TABLE)
    assert (result.rows, result.restored) == (0, 2)
    _assert_current(items)


@ON_EITHER
def test_without_soft_deletes_a_row_that_goes_stays(items: Shop) -> None:
    table = replace(TABLE, deletes="none")
    items.source.execute("delete from item where id = 7")
    assert items.load(table).deleted == 0
    assert (7,) in items.current(table, "id")


@ON_EITHER
def test_what_landed_in_mode_full_does_not_land_again(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id int primary key, name text, price numeric(9, 2));"
        "insert into item select i, 'item', 1 from generate_series(1, 100) as i"
    )
    shop.load(spec(primary_key=("id",), deletes="soft"))
    shop.source.execute("delete from item where id = 1; update item set price = 2 where id = 2")
    result = shop.load(TABLE)
    assert (result.rows, result.deleted) == (1, 1)
    _assert_current(shop)


@ON_EITHER
def test_a_new_column_lands_where_it_has_a_value(items: Shop) -> None:
    items.source.execute(
        "alter table item add column color text; update item set color = 'red' where id = 9"
    )
    result = items.load(TABLE)
    assert result.rows == 1
    assert result.changes[0].startswith("color added as ")
    assert items.load(TABLE).rows == 0


@ON_EITHER
def test_full_refresh_finds_what_landing_lost(items: Shop) -> None:
    items.warehouse.execute("delete from landing_shop.item where id = 1")
    assert items.load(TABLE).rows == 0, "the source has not changed"
    assert items.load(TABLE, full_refresh=True).rows == 1
    _assert_current(items)


@ON_EITHER
def test_a_key_of_several_columns_and_of_text(shop: Shop) -> None:
    """A key that is no number has one range: the table is compared as a whole."""
    table = replace(TABLE, primary_key=("code", "day"))
    shop.source.execute(
        "create table item (code text, day date, name text, primary key (code, day));"
        "insert into item select 'code ' || i % 10, date '2026-01-01' + i, 'item' "
        "from generate_series(1, 100) as i"
    )
    shop.load(table)
    shop.source.execute(
        "update item set name = 'another' where code = 'code 3';"
        "delete from item where day = '2026-01-05'"
    )
    result = shop.load(table)
    assert (result.rows, result.deleted) == (10, 1)
    assert shop.current(table, "code, day, name") == shop.source.query(
        "select code, day, name from item order by 1, 2, 3"
    )


@ON_EITHER
def test_a_key_far_from_all_others_does_not_make_ranges_wide(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id bigint primary key, name text, price numeric(9, 2));"
        f"insert into item select i, 'item', 1 from generate_series(1, {ROWS}) as i;"
        "insert into item values (9000000000000000000, 'far', 1)"
    )
    shop.load(TABLE)
    shop.source.execute("update item set name = 'another' where id = 20000")
    sent = Sent()
    assert shop.load(TABLE, observer=sent).rows == 1
    assert sent.total < ROWS / 100
    _assert_current(shop)


@ON_EITHER
def test_a_key_that_is_null_stops_the_table(shop: Shop) -> None:
    shop.source.execute("create table item (id int, name text); insert into item values (1, 'a')")
    shop.load(TABLE)
    shop.source.execute("insert into item values (null, 'b')")
    assert "primary_key (id) is null in some rows" in shop.fail(TABLE)
    assert "primary_key (id) is null in some rows" in shop.fail(
        replace(TABLE, table="other", landing=("landing_shop", "other"), from_=("public", "item"))
    )


def test_values_that_are_equal_but_not_the_same_land(shop: Shop) -> None:
    """A number with another scale, and types that Postgres can't compare."""
    shop.source.execute(
        "create table item (id int primary key, price numeric, data json, place point);"
        "insert into item values (1, 1.0, '{\"a\": 1}', '(1,2)'), (2, 1.0, '{\"a\": 1}', '(1,2)')"
    )
    shop.load(TABLE)
    shop.source.execute(
        "update item set price = 1.00 where id = 1;update item set data = '{\"a\":1}' where id = 2"
    )
    assert shop.load(TABLE).rows == 2
    assert shop.current(TABLE, "id, price::text, data::text") == [
        (1, "1.00", '{"a": 1}'),
        (2, "1.0", '{"a":1}'),
    ]


@ON_EITHER
def test_the_plan_says_how_many_rows_are_in_ranges_that_differ(items: Shop) -> None:
    assert items.plan(TABLE)[0].rows == 0
    items.source.execute("update item set name = 'another' where id = 1; analyze item")
    (planned,) = items.plan(TABLE)
    assert 0 < planned.rows < ROWS / 100
