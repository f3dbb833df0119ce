"""Deleted rows are found by digests of keys: only where those differ are keys compared."""

from __future__ import annotations

import pytest

from extraction.errors import ExtractError
from extraction.key_digests import MOST_RANGES, KeyDigests, bits_for, consecutive
from extraction.spec import TableSpec
from extraction_support import Sent, Shop, Silent, cursor_spec
from warehouses import ON_EITHER

ROWS = 100_000
TABLE = cursor_spec(deletes="soft")


@pytest.fixture
def items(shop: Shop) -> Shop:
    shop.source.execute(
        "create table item (id bigint primary key, name text, updated_at timestamptz not null);"
        "insert into item select i, 'item', timestamptz '2026-01-01' - i * interval '1 min' "
        f"from generate_series(1, {ROWS}) as i"
    )
    sent = Sent()
    shop.load(TABLE, observer=sent)
    assert sent.total < 1.5 * ROWS, "the first batch has all keys: there is nothing to compare"
    return shop


@ON_EITHER
def test_keys_stay_at_the_source_while_none_is_gone(items: Shop) -> None:
    sent = Sent()
    assert items.load(TABLE, observer=sent).rows == 0
    assert sent.total < 10
    items.source.execute(
        f"insert into item values ({ROWS + 1}, 'new', '2026-01-02'), ({5 * ROWS}, 'far', now());"
        "update item set updated_at = now() where id = 7"
    )
    result = items.load(TABLE, observer=sent)
    assert (result.rows, result.deleted) == (3, 0)
    assert sent.total < 10


@ON_EITHER
def test_only_keys_near_a_deleted_one_are_compared(items: Shop) -> None:
    items.source.execute(
        f"delete from item where id in (1, 50000);insert into item values ({ROWS + 1}, '', now())"
    )
    sent = Sent()
    result = items.load(TABLE, observer=sent)
    assert (result.rows, result.deleted) == (1, 2)
    assert sent.total < ROWS / 100
    again = items.load(TABLE)
    assert (again.rows, again.deleted) == (0, 0)


@ON_EITHER
def test_a_row_that_comes_late_does_not_hide_one_that_goes(items: Shop) -> None:
    """Their number stays the same."""
    items.source.execute(
        "delete from item where id = 50;insert into item values (-50, 'late', '2020-01-01')"
    )
    result = items.load(TABLE)
    assert (result.rows, result.deleted) == (1, 1)
    items.source.execute("update item set id = 51000000 where id = 51")
    result = items.load(TABLE)
    assert (result.rows, result.deleted) == (1, 1), "another key, without a later cursor"
    assert items.current(TABLE, "id") == items.source.query("select id from item order by id")


@ON_EITHER
def test_a_table_that_grows_keeps_its_ranges_few(shop: Shop) -> None:
    """All of them are remembered from batch to batch, and each that differs is a condition."""
    shop.source.execute(
        "create table item (id bigint primary key, name text, updated_at timestamptz not null)"
    )
    shop.load(TABLE)
    for size in (10_000, 100_000):
        shop.source.execute(
            "insert into item select i, 'item', timestamptz '2026-01-01' + i * interval '1 s' "
            f"from generate_series({size // 10}, {size}) as i on conflict do nothing;"
            "delete from item where id % 1000 = 7"
        )
        shop.load(TABLE)
        (written,) = shop.warehouse.query(
            "select key_digests from ops.extract_batches where key_digests is not null"
        )
        assert len(KeyDigests.loads(written[0]).ranges) <= MOST_RANGES + 1
        assert shop.current(TABLE, "id") == shop.source.query("select id from item order by id")
    sent = Sent()
    shop.source.execute("delete from item where id = 50000")
    assert shop.load(TABLE, observer=sent).deleted == 1
    assert sent.total < 1000


@pytest.mark.parametrize(
    ("type_", "key"),
    [
        ("smallint", "i - 10"),
        ("oid", "i::oid"),
        ("numeric", "i / 8.0"),
        ("money", "i::money"),
        ("char(5)", "i::text"),
        ("bytea", "decode(md5(i::text), 'hex')"),
        ("timestamptz", "timestamptz '2026-01-01' + i * interval '1 s'"),
        ("size", "('size ' || i % 3)::size"),
        ("bit(8)", "i::bit(8)"),
        ("tsvector", "to_tsvector('w' || i)"),
        ("tsquery", "('w' || i)::tsquery"),
        ("int[]", "array[i, 0]"),
    ],
)
def test_keys_of_each_type(shop: Shop, type_: str, key: str) -> None:
    """Those that can't be digested, the last four, are compared in full."""
    shop.source.execute(
        "create type size as enum ('size 0', 'size 1', 'size 2');"
        f"create table item (id {type_} primary key, n int, updated_at timestamptz not null);"
        f"insert into item select {key}, i, date '2025-01-01' + i from generate_series(1, 2) as i"
    )
    shop.load(TABLE)
    shop.source.execute(
        f"delete from item where n = 1;insert into item select {key}, i, date '2025-01-01' + i "
        "from generate_series(3, 3) as i"
    )
    result = shop.load(TABLE)
    assert (result.rows, result.deleted) == (1, 1)
    assert shop.load(TABLE).deleted == 0
    assert shop.current(TABLE, "n") == [(2,), (3,)]


class Unplugged(Silent):
    def step(self, spec: TableSpec, step: str) -> None:
        if step == "commit":
            raise ExtractError("unplugged")


@ON_EITHER
def test_what_a_failed_batch_found_gone_is_found_again(items: Shop) -> None:
    items.source.execute("delete from item where id = 1")
    (failed,) = items.extract(TABLE, observer=Unplugged())
    assert failed.error == "unplugged"
    assert items.load(TABLE).deleted == 1


def test_ranges_are_few_whatever_the_keys() -> None:
    for low, high in [(0, 0), (1, 1024), (1, 10**9), (-(2**63), 2**63 - 1)]:
        bits = bits_for(low, high)
        assert (high >> bits) - (low >> bits) <= MOST_RANGES


def test_digests_in_wider_ranges_are_sums() -> None:
    narrow = KeyDigests(["id"], 1, {-1: (1, 5), 0: (2, -7), 1: (1, 9), 6: (3, 1)})
    assert narrow.widened(3) == KeyDigests(["id"], 3, {-1: (1, 5), 0: (3, 2), 1: (3, 1)})
    assert narrow.widened(0) == narrow.widened(None) == narrow
    assert KeyDigests(["id"], None, {0: (1, 1)}).widened(3).bits is None


def test_digests_survive_being_written_down() -> None:
    digests = KeyDigests(["id"], 3, {-1: (5, -(2**64)), 7: (1, 12)})
    read = KeyDigests.loads(digests.dumps())
    assert read.is_like(digests)
    assert read.differing(digests, []) == []
    assert read.differing(KeyDigests(["id"], 3, {7: (1, 12), 8: (1, 1)}), []) == [
        (-8, 0),
        (64, 72),
    ]


@ON_EITHER
def test_many_new_keys_are_asked_for_by_range(items: Shop) -> None:
    """Whole ranges of them, with a gap here and there, in which nothing else is."""
    items.source.execute(
        f"insert into item select {ROWS} + i + i / 1000, 'new', now() "
        "from generate_series(1, 30000) as i;"
        "delete from item where id = 50"
    )
    sent = Sent()
    result = items.load(TABLE, observer=sent)
    assert (result.rows, result.deleted) == (30_000, 1)
    assert sent.total < 30_000 + ROWS / 100, "the keys that are new are none that may be gone"
    assert items.load(TABLE).rows == 0


def test_numbers_that_follow_each_other_are_one_interval() -> None:
    assert consecutive([-2, -1, 0, 5, 7, 8]) == [(-2, 1), (5, 6), (7, 9)]
    assert consecutive([0, 1, 3], bits=4) == [(0, 32), (48, 64)]
    assert consecutive([]) == []
