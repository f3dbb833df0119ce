"""The data diff: every figure against one computed by hand, and what it must never show."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from common.sqlserver import identifier as brackets
from databases import Database
from diffing import (
    Compared,
    CompareError,
    ModelDiff,
    ThresholdError,
    Thresholds,
    as_json,
    breaches,
    compare,
    from_nodes,
    markdown,
    statements,
    terminal,
    verdict,
)
from diffing.model_diff import Example, Match, NamedType, Retyped, Rows, Shared, Total
from diffing.relation import Column
from diffing.sqlserver import SqlServer, _column
from diffing.statements import Sides
from tsql.checks import check
from warehouses import ON_EITHER

LIVE, NEXT = ("gold", "orders"), ("gold__next", "orders")
ORDERS = Compared("orders", LIVE, NEXT, key=("id",))
KEYED = "id integer not null primary key"
UNKEYED = "id integer"


@dataclass
class Pair:
    """A relation in live and one in next, in an empty warehouse."""

    warehouse: Any

    def make(self, columns: str, live: Sequence[str], next_: Sequence[str]) -> Pair:
        """Both with the same columns; rows are what stands in the brackets of `values`."""
        return self.table("gold", columns, live).table("gold__next", columns, next_)

    def table(self, schema: str, columns: str, rows: Sequence[str]) -> Pair:
        self.warehouse.execute(f"create schema {schema}")
        self.warehouse.execute(f"create table {schema}.orders ({columns})")
        if rows:
            values = ", ".join(f"({row})" for row in rows)
            self.warehouse.execute(f"insert into {schema}.orders values {values}")
        return self

    def diff(self, compared: Compared = ORDERS, **options: bool) -> ModelDiff:
        with self.warehouse.connect() as connection:
            return compare(connection, compared, **options)

    def matches(self, compared: Compared = ORDERS) -> dict[str, int]:
        """How many rows differ by column."""
        return {match.column: match.differing for match in self.diff(compared).matches}


@pytest.fixture
def pair(warehouse: Any) -> Pair:  # noqa: ANN401
    return Pair(warehouse)


def rendered(*diffs: ModelDiff) -> str:
    return "\n".join([terminal(diffs), markdown(diffs), json.dumps(as_json(diffs))])


def node(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A model as manifest.json has it, as far as it matters here."""
    column: dict[str, Any] = {"constraints": [], "config": {"meta": {}}, "meta": {}}
    columns: dict[str, Any] = {name: {**column, "name": name} for name in ("id", "amount", "email")}
    columns["email"]["config"] = {"meta": {"contains_pii": True}}
    columns["id"]["constraints"] = [{"type": "not_null"}, {"type": "primary_key"}]
    return {
        "name": "orders",
        "resource_type": "model",
        "columns": columns,
        "constraints": [],
        "config": {"meta": {}},
        **changes,
    }


def limited(**limits: Any) -> dict[str, Any]:  # noqa: ANN401
    return node(config={"meta": {"diff": limits}})


# ------------------------------------------------------------------ figures


@ON_EITHER
@pytest.mark.parametrize("id_", [KEYED, UNKEYED])
def test_the_figures_are_those_counted_by_hand(pair: Pair, id_: str) -> None:
    pair.make(
        f"{id_}, amount decimal(18, 2), note varchar(20), customer_id integer",
        ["1, 10.00, 'a', 7", "2, 20.00, 'b', 7", "3, 30.00, null, 7", "4, 40.00, 'd', 7"],
        [
            "2, 20.00, 'b', 7",
            "3, 31.50, 'c', 7",
            "4, 40.00, 'D', 7",
            "5, 50.00, 'e', 8",
            "6, 0, '', 8",
        ],
    )
    diff = pair.diff()
    assert (diff.status, diff.rows_live, diff.rows_next) == ("changed", 4, 5)
    assert diff.rows == Rows(only_live=1, only_next=2, common=3, changed=2)
    assert diff.matches == (
        Match("amount", 1, 3),
        Match("note", 2, 3),
        Match("customer_id", 0, 3),
    )
    # An id is no measure.
    assert diff.totals == (Total("amount", Decimal("100.00"), Decimal("141.50")),)
    assert (diff.removed_pct, diff.added_pct) == (25.0, 50.0)
    assert diff.changed_pct == pytest.approx(200 / 3)
    assert diff.matches[1].pct == pytest.approx(100 / 3)
    assert diff.totals[0].change_pct == pytest.approx(41.5)
    assert not (diff.examples or diff.shared or diff.notes or diff.added or diff.removed)


@ON_EITHER
def test_equal_relations_are_unchanged(pair: Pair) -> None:
    rows = ["1, 1.5, null", "2, 2.5, 'x'"]
    pair.make(f"{KEYED}, amount float, note varchar(9)", rows, list(reversed(rows)))
    diff = pair.diff()
    assert (diff.status, diff.rows) == ("unchanged", Rows(0, 0, 2, 0))
    assert diff.matches == (Match("amount", 0, 2), Match("note", 0, 2))
    assert [(one.live, one.next) for one in diff.totals] == [(Decimal("4"), Decimal("4"))]


@ON_EITHER
def test_values_that_swap_their_rows_are_found(pair: Pair) -> None:
    """Whatever is added up over the rows is the same then; a few, as sums may differ by chance."""
    pair.make(f"{KEYED}, a integer, b integer", [], [])
    for n in range(0, 40, 2):
        for schema, a, b in (("gold", n, n + 1), ("gold__next", n + 1, n)):
            rows = f"({n}, {a}, 6), ({n + 1}, {b}, 6)"
            pair.warehouse.execute(f"delete from {schema}.orders")
            pair.warehouse.execute(f"insert into {schema}.orders values {rows}")
        diff = pair.diff()
        assert diff.rows == Rows(0, 0, 2, 2)
        assert not any(total.is_changed for total in diff.totals)


@ON_EITHER
@pytest.mark.parametrize(
    ("live", "next_", "differs"),
    [
        ("null", "null", False),
        ("null", "''", True),
        ("'a'", "null", True),
        ("'a'", "'A'", True),
        ("'a'", "'a '", True),
        ("'a'", "'a'", False),
    ],
)
def test_texts_and_nulls(pair: Pair, live: str, next_: str, differs: bool) -> None:
    pair.make(f"{KEYED}, note varchar(9)", [f"1, {live}"], [f"1, {next_}"])
    assert pair.matches() == {"note": int(differs)}


@ON_EITHER
def test_long_texts_are_compared_to_their_end(pair: Pair) -> None:
    texts = [f"1, '{'a' * 4000}{end}'" for end in "ab"]
    pair.make(f"{KEYED}, note varchar(8000)", texts[:1], texts[1:])
    assert pair.matches() == {"note": 1}


@ON_EITHER
@pytest.mark.parametrize(
    ("type_", "live", "next_", "differs"),
    [
        ("float", "0.1", "0.1", False),
        ("float", "0.1", "0.10000000000000002", True),
        ("decimal(18, 4)", "1.5", "1.5000", False),
        ("decimal(18, 4)", "1.5", "1.5001", True),
        ("date", "'2024-02-29'", "'2024-03-01'", True),
        ("bigint", "9007199254740993", "9007199254740992", True),
    ],
)
def test_numbers_and_days(pair: Pair, type_: str, live: str, next_: str, differs: bool) -> None:
    # The second row keeps the fingerprint of the whole from deciding for the first.
    rows = ([f"1, {live}", f"2, {live}"], [f"1, {next_}", "2, null"])
    pair.make(f"{KEYED}, one {type_}", *rows)
    assert pair.matches() == {"one": 1 + differs}


@pytest.mark.parametrize(
    ("type_", "live", "next_", "differs"),
    [
        ("float8", "'NaN'", "'NaN'", False),
        ("float8", "'Infinity'", "'-Infinity'", True),
        ("numeric", "'NaN'", "1", True),
        ("timestamp", "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000001'", True),
        ("timestamptz", "'2024-01-01 00:00+00'", "'2024-01-01 02:00+02'", False),
        ("json", """'{"a": 1}'""", """'{"a": 1}'""", False),
        ("json", """'{"a": 1}'""", """'{"a": 2}'""", True),
        ("json", r"""'{"a": "\u0000"}'""", r"""'{"a": "\u0001"}'""", True),
        ("jsonb", """'{"a": 1, "b": 2}'""", """'{"b": 2, "a": 1}'""", False),
        ("jsonb", "'[1, 2]'", "'[2, 1]'", True),
        ("text[]", "'{a,b}'", "'{a,b}'", False),
        ("text[]", "'{a,b}'", "'{a,null}'", True),
        ("integer[]", "'{1,2}'", "'{2,1}'", True),
        ("json[]", """array['{"a": 1}'::json]""", """array['{"a": 2}'::json]""", True),
        ("polygon", "'((0,0),(1,1),(1,0))'", "'((0,0),(2,2),(1,0))'", True),
        ("xml", "'<a/>'", "'<b/>'", True),
        ("bytea", r"'\x00'", r"'\x0000'", True),
        ("interval", "'1 hour'", "'60 minutes'", False),
        ("tsvector", "'a b'", "'a c'", True),
        ("int4range", "'[1,3]'", "'[1,4)'", False),
        ("bit(2)", "b'01'", "b'10'", True),
        ("uuid", "gen_random_uuid()", "gen_random_uuid()", True),
        ("colour", "'red'", "'green'", True),
        ("short", "'a'", "'b'", True),
        ("folded", "'a'", "'A'", True),
        ("dot", "(1, 'a')", "(1, null)", True),
        ("point", "'(1,2)'", "'(2,1)'", True),
        ("name", "'a'", "'b'", True),
    ],
)
@pytest.mark.parametrize("second", ["2", "3"])
def test_types_of_postgres(
    pair: Pair, type_: str, live: str, next_: str, differs: bool, second: str
) -> None:
    """By the fingerprint if the other row is the same, by the join if it is another one."""
    pair.warehouse.execute(
        "create type colour as enum ('red', 'green'); create domain short as varchar(9);"
        "create type dot as (x integer, name text)"
    )
    try:
        if type_ == "folded":
            pair.warehouse.execute(
                "create collation ci (provider = icu, locale = 'und-u-ks-level2', "
                "deterministic = false); create domain folded as text collate ci"
            )
        pair.warehouse.query(f"select cast({live} as {type_})")
    except psycopg2.errors.FeatureNotSupported as error:
        pytest.skip(f"this server is built without it: {error}")
    pair.make(
        f"{KEYED}, one {type_}", [f"1, {live}", "2, null"], [f"1, {next_}", f"{second}, null"]
    )
    assert pair.matches() == {"one": int(differs)}


@ON_EITHER
def test_odd_names(pair: Pair) -> None:
    is_postgres = isinstance(pair.warehouse, Database)
    names = ['a"b', "c]d", "per%cent %s", "{} {0}", "select", "Größe", "l.c0", "here"]
    quoted = [
        '"' + name.replace('"', '""') + '"' if is_postgres else brackets(name) for name in names
    ]
    id_ = '"the ""id"""' if is_postgres else '[the "id"]'
    columns = ", ".join(f"{name} integer" for name in quoted)
    row = ", ".join(["1"] * len(names))
    pair.make(
        f"{id_} integer not null primary key, {columns}",
        [f"{n}, {row}" for n in range(30)],
        [f"{n}, {row if n > 9 else row.replace('1', '2')}" for n in range(30)],
    )
    pair.warehouse.execute(
        'alter schema "gold__next" rename to "gold""x__next"'
        if is_postgres
        else "create table [gold__next].[x]]y] (id integer)"
    )
    next_ = ('gold"x__next', "orders") if is_postgres else NEXT
    diff = pair.diff(replace(ORDERS, next=next_, key=('the "id"',)), values=True)
    assert diff.rows == Rows(0, 0, 30, 10)
    assert {match.column: match.differing for match in diff.matches} == dict.fromkeys(names, 10)
    assert [total.next for total in diff.totals] == [Decimal(40)] * len(names)
    assert len(diff.examples) == 5
    rendered(diff)


# ------------------------------------------------------------------ columns


@ON_EITHER
def test_columns_that_came_and_went_and_changed_their_type(pair: Pair) -> None:
    pair.table(
        "gold", f"{KEYED}, a integer, b varchar(9), c date, d integer", ["1, 5, 'x', null, 6"]
    )
    pair.table(
        "gold__next", f"{KEYED}, a bigint, b varchar(20), c integer, e integer", ["1, 5, 'y', 1, 7"]
    )
    diff = pair.diff()
    is_postgres = isinstance(pair.warehouse, Database)
    whole = "integer" if is_postgres else "int"
    text = "character varying" if is_postgres else "varchar"
    assert diff.added == (NamedType("e", whole),)
    assert diff.removed == (NamedType("d", whole),)
    assert diff.retyped == (
        Retyped("a", whole, "bigint", compared=True),
        Retyped("b", f"{text}(9)", f"{text}(20)", compared=True),
        Retyped("c", "date", whole, compared=False),
    )
    assert diff.matches == (Match("a", 0, 1), Match("b", 1, 1))
    assert diff.rows == Rows(0, 0, 1, 1)
    assert "c: from date to" in terminal([diff])


@ON_EITHER
def test_a_column_that_only_changed_its_type_is_a_change(pair: Pair) -> None:
    pair.table("gold", f"{KEYED}, a integer", ["1, 5"])
    pair.table("gold__next", f"{KEYED}, a bigint", ["1, 5"])
    diff = pair.diff()
    assert (diff.status, diff.rows) == ("changed", Rows(0, 0, 1, 0))


# ------------------------------------------------------------------ keys


@ON_EITHER
def test_keys_that_repeat_multiply_nothing(pair: Pair) -> None:
    """3 and 4 rows of key 1, 1 and 0 of key 2, 2 and 1 null keys, one each of keys 3 and 4."""
    pair.make(
        f"{UNKEYED}, amount integer",
        ["1, 1", "1, 1", "1, 1", "2, 5", "null, 6", "null, 6", "3, 7", "4, 8"],
        ["1, 1", "1, 1", "1, 1", "1, 9", "null, 6", "3, 7", "4, 80"],
    )
    diff = pair.diff()
    # In both: 3 of key 1, 1 null and keys 3 and 4.
    assert diff.rows == Rows(only_live=2, only_next=1, common=6, changed=1, uncompared=4)
    assert diff.rows.compared == 2
    assert diff.matches == (Match("amount", 1, 2),)
    assert diff.totals == (Total("amount", Decimal(35), Decimal(105)),)
    assert diff.notes == (
        "2 keys are null or come more than once: their rows are counted, but not compared",
    )


@ON_EITHER
def test_a_key_that_is_always_the_same_is_counted_in_no_time(pair: Pair) -> None:
    """A join would make 90 million rows of it."""
    digits = "(values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
    many = " cross join ".join(f"{digits} as {name} (n)" for name in "abcd")
    pair.make(f"{UNKEYED}, amount integer", [], [])
    for schema, where in (("gold", ""), ("gold__next", "where a.n < 9")):
        pair.warehouse.execute(f"insert into {schema}.orders select 1, a.n from {many} {where}")
    diff = pair.diff()
    assert diff.rows == Rows(only_live=1000, only_next=0, common=9000, changed=0, uncompared=9000)


@ON_EITHER
@pytest.mark.parametrize(("second", "status"), [("1, 2", "unchanged"), ("1, 3", "changed")])
def test_rows_that_cannot_be_compared_are_not_called_the_same(
    pair: Pair, second: str, status: str
) -> None:
    pair.make(f"{UNKEYED}, amount integer", ["1, 1", "1, 2"], [second, "1, 1"])
    assert pair.diff().status == status


@ON_EITHER
def test_a_key_of_several_columns(pair: Pair) -> None:
    pair.make(
        "id integer not null, line varchar(9) not null, amount integer, primary key (id, line)",
        ["1, 'a', 1", "1, 'b', 1", "2, 'a', 1"],
        ["1, 'a', 1", "1, 'b', 2", "2, 'A', 1"],
    )
    diff = pair.diff(replace(ORDERS, key=("ID", "line")), values=True)
    assert diff.key == ("id", "line")
    assert diff.rows == Rows(only_live=1, only_next=1, common=2, changed=1)
    assert diff.examples == (
        Example("changed", ("1", "b")),
        Example("live", ("2", "a")),
        Example("next", ("2", "A")),
    )


@pytest.mark.parametrize(
    ("id_", "index", "row"),
    [
        ("id integer not null", "(id) where amount = 1", "1, 2"),
        ("id integer not null", "(id, (amount + 1))", "1, 2"),
        ("id integer not null", "(id, amount)", "1, 2"),
        ("id integer not null", "(id) include (amount) where amount > 1", "1, 1"),
        ("id integer", "(id)", "null, 2"),
    ],
)
def test_a_unique_index_is_trusted_only_if_it_covers_every_row(
    pair: Pair, id_: str, index: str, row: str
) -> None:
    """Trusted where it does not, the joined rows would be of another number."""
    pair.table("gold", f"{id_}, amount integer", ["1, 1", row])
    pair.table("gold__next", f"{id_}, amount integer", ["1, 1", row, "3, 3"])
    for schema in ("gold", "gold__next"):
        pair.warehouse.execute(f"create unique index on {schema}.orders {index}")
    vague = 1 if row.startswith("null") else 2
    assert pair.diff().rows == Rows(0, 1, 2, 0, uncompared=vague)


@ON_EITHER
@pytest.mark.parametrize(
    ("key", "why"),
    [
        ((), "its YAML states no key"),
        (("nowhere",), "nowhere of its key is no column of live"),
        (("amount",), "amount of its key is"),
    ],
)
def test_without_a_key_there_are_counts_and_totals(
    pair: Pair, key: tuple[str, ...], why: str
) -> None:
    pair.table("gold", "id integer, amount date, a integer", ["1, null, 5", "1, null, 6"])
    pair.table("gold__next", "id integer, amount varchar(9), a integer", ["1, null, 5"])
    diff = pair.diff(replace(ORDERS, key=key), values=True)
    assert (diff.status, diff.rows_live, diff.rows_next, diff.rows) == ("changed", 2, 1, None)
    assert diff.why_no_key is not None
    assert diff.why_no_key.startswith(why)
    assert diff.totals == (
        *([Total("id", Decimal(2), Decimal(1))]),
        Total("a", Decimal(11), Decimal(5)),
    )
    assert not (diff.matches or diff.shared or diff.examples)
    assert f"not compared: {why}" in terminal([diff])


@ON_EITHER
@pytest.mark.parametrize(("next_", "status"), [("1, 2", "unchanged"), ("2, 1", "changed")])
def test_without_a_key_a_change_is_noticed(pair: Pair, next_: str, status: str) -> None:
    """Rows and totals are the same, and the order of rows is nothing."""
    pair.make(
        "a integer, b integer", ["1, 2", "2, 1"], [next_, "2, 1"][:: -1 if next_ == "1, 2" else 1]
    )
    if status == "changed":
        pair.warehouse.execute("update gold__next.orders set b = 1")
        pair.warehouse.execute("update gold.orders set a = 2 where a = 1")
    assert pair.diff(replace(ORDERS, key=())).status == status


# ------------------------------------------------------------------ relations


@ON_EITHER
def test_new_removed_and_missing_models(pair: Pair) -> None:
    pair.make(f"{KEYED}, amount integer", ["1, 1"], ["1, 1", "2, 2"])
    limits = Thresholds(max_removed_pct=0, max_added_pct=0)
    compared = replace(ORDERS, thresholds=limits)
    for live in (None, ("gold", "nothing")):
        new = pair.diff(replace(compared, live=live))
        assert (new.status, new.rows_live, new.rows_next, new.live) == ("new", None, 2, None)
        assert not breaches(new)
    removed = pair.diff(replace(compared, next=None))
    assert (removed.status, removed.rows_live, removed.rows_next) == ("removed", 1, None)
    assert not breaches(removed)
    with pytest.raises(CompareError, match="orders is neither in live nor in next"):
        pair.diff(replace(compared, live=None, next=None))
    assert "new: 2 rows" in terminal([new])
    assert "removed: 1 row" in markdown([removed])


@ON_EITHER
@pytest.mark.parametrize("id_", [KEYED, UNKEYED])
def test_empty_relations(pair: Pair, id_: str) -> None:
    pair.make(f"{id_}, amount integer", [], [])
    diff = pair.diff()
    assert (diff.status, diff.rows) == ("unchanged", Rows(0, 0, 0, 0))
    assert (diff.removed_pct, diff.added_pct, diff.changed_pct) == (0, 0, None)
    assert diff.matches == (Match("amount", 0, 0),)
    assert diff.matches[0].pct is None
    pair.warehouse.execute("insert into gold__next.orders values (1, 5)")
    diff = pair.diff()
    assert (diff.rows, diff.added_pct) == (Rows(0, 1, 0, 0), 100)
    assert diff.totals == (Total("amount", None, Decimal(5)),)
    assert diff.totals[0].change_pct == 100
    rendered(diff)


@ON_EITHER
def test_when_every_row_changed(pair: Pair) -> None:
    pair.make(
        f"{KEYED}, amount integer",
        [f"{n}, {n}" for n in range(20)],
        [f"{n}, {n + 1}" for n in range(20)],
    )
    diff = pair.diff()
    assert (diff.rows, diff.changed_pct) == (Rows(0, 0, 20, 20), 100)
    # What all rows have in common says nothing of those that changed.
    assert (diff.matches[0].pct, diff.shared) == (0, ())


@ON_EITHER
def test_views_compare_as_tables_do(pair: Pair) -> None:
    pair.make(f"{KEYED}, amount integer", ["1, 1", "2, 2"], ["1, 1", "2, 3"])
    for schema in ("gold", "gold__next"):
        pair.warehouse.execute(
            f"create view {schema}.seen as select id, amount from {schema}.orders"
        )
    diff = pair.diff(replace(ORDERS, live=("gold", "seen"), next=("gold__next", "seen")))
    assert diff.rows == Rows(0, 0, 2, 1)


def test_nothing_is_left_in_the_session(pair: Pair) -> None:
    pair.make(f"{KEYED}, amount integer", ["1, 1"], ["1, 2"])
    with pair.warehouse.connect() as connection, connection.cursor() as cursor:
        for _ in range(2):
            assert compare(connection, ORDERS).rows == Rows(0, 0, 1, 1)
        cursor.execute("select count(*) from pg_class where relname like 'medallion%'")
        assert cursor.fetchone() == (0,)
        cursor.execute("show jit")
        before = cursor.fetchone()
        pair.warehouse.execute(
            "drop table gold__next.orders; create view gold__next.orders as select 1 / 0 as id"
        )
        with pytest.raises(psycopg2.errors.DivisionByZero):
            compare(connection, ORDERS)
        cursor.execute("show jit")
        assert cursor.fetchone() == before
        assert connection.info.transaction_status == 0


def test_a_connection_in_a_transaction_is_refused(pair: Pair) -> None:
    with pair.warehouse.connect() as connection:
        connection.autocommit = False
        with pytest.raises(CompareError, match="commits each statement"):
            compare(connection, ORDERS)


# ------------------------------------------------------------------ what rows have in common

SHOP = f"{KEYED}, store_id integer, status varchar(9), paid_date date, amount decimal(9, 2)"


def shop(pair: Pair) -> Pair:
    """100 orders: 10 of store 3's 20 changed, all 5 of a day are gone, 5 without a day came."""
    live = [
        f"{n}, {n % 5}, '{'open' if n % 2 else 'paid'}', '2024-01-0{1 + n // 95}', {n}"
        for n in range(100)
    ]
    next_ = [
        f"{n}, {n % 5}, '{'open' if n % 2 else 'paid'}', '2024-01-01', {n + (n % 10 == 3)}"
        for n in range(95)
    ]
    return pair.make(SHOP, live, [*next_, *(f"{n}, 0, null, null, 1" for n in range(200, 205))])


@ON_EITHER
def test_what_changed_rows_have_in_common_is_told_without_values(pair: Pair) -> None:
    diff = shop(pair).diff()
    assert diff.rows == Rows(only_live=5, only_next=5, common=95, changed=10)
    assert diff.shared == (
        Shared("changed", "store_id", 1, 100.0, 20.0),
        Shared("changed", "status", 1, 100.0, 50.0),
        Shared("live", "paid_date", 1, 100.0, 5.0),
        Shared("next", "paid_date", 1, 100.0, 5.0),
        Shared("next", "status", 1, 100.0, 5.0),
        Shared("next", "store_id", 1, 100.0, 24.0),
    )
    says = "100 % of the changed rows share one value of store_id, as 20 % of the table do"
    assert says in terminal([diff])
    assert "values" not in as_json([diff])["models"][0]["shared"][0]
    assert "2024-01-02" not in rendered(diff)
    assert not diff.examples


@ON_EITHER
def test_values_are_shown_when_asked_for(pair: Pair) -> None:
    diff = shop(pair).diff(values=True)
    assert {(one.place, one.column): one.values for one in diff.shared} == {
        ("changed", "store_id"): ("3",),
        ("changed", "status"): ("open",),
        ("live", "paid_date"): ("2024-01-02",),
        ("next", "paid_date"): (None,),
        ("next", "status"): (None,),
        ("next", "store_id"): ("0",),
    }
    assert [one.key for one in diff.examples if one.place == "changed"] == [
        ("3",),
        ("13",),
        ("23",),
        ("33",),
        ("43",),
    ]
    assert "2024-01-02" in terminal([diff])


@ON_EITHER
def test_a_few_values_may_cover_the_changed_rows(pair: Pair) -> None:
    live = [f"{n}, {n % 20}, 'x', null, 1" for n in range(400)]
    next_ = [row if n % 20 > 2 else row[:-1] + "2" for n, row in enumerate(live)]
    diff = pair.make(SHOP, live, next_).diff(values=True)
    assert diff.shared == (Shared("changed", "store_id", 3, 100.0, 15.0, ("0", "1", "2")),)


# ------------------------------------------------------------------ privacy


@ON_EITHER
def test_personal_values_are_never_shown(pair: Pair) -> None:
    columns = (
        "email varchar(50) not null primary key, city varchar(20), salary integer, kind integer"
    )
    live = [f"'ada{n}@example.com', 'Atlantis', 9{n}31, {n % 10}" for n in range(100, 200)]
    next_ = [
        row.replace("Atlantis", "Utopia").replace("31,", "32,") if n % 10 == 3 else row
        for n, row in enumerate(live)
        if n != 50
    ]
    pair.make(columns, live, [*next_, "'bob@example.com', 'Erewhon', 7777, 1"])
    personal = frozenset({"Email", "city", "salary"})
    compared = replace(ORDERS, key=("email",), personal=personal)
    for values in (False, True):
        diff = pair.diff(compared, values=values)
        assert diff.rows == Rows(1, 1, 99, 10)
        assert {one.column for one in diff.shared} == {"kind"}
        assert [one.column for one in diff.totals] == ["kind"]
        assert not diff.examples
        shown = rendered(diff) + repr(diff)
        for value in ("example.com", "Atlantis", "Utopia", "Erewhon", "31", "32", "7777"):
            assert value not in shown.replace("10 changed", "")
    assert "no example keys: the key is personal" in terminal([diff])


@ON_EITHER
def test_a_column_that_the_yaml_does_not_name_is_treated_as_personal(pair: Pair) -> None:
    shop(pair)
    diff = pair.diff(replace(ORDERS, described=frozenset({"ID", "store_id"})), values=True)
    assert {one.column for one in diff.shared} == {"store_id"}
    assert diff.totals == ()
    assert len(diff.matches) == 4


# ------------------------------------------------------------------ thresholds


@ON_EITHER
def test_what_is_beyond_a_limit_is_named_with_measure_limit_and_actual(pair: Pair) -> None:
    shop(pair)
    within = Thresholds(5, 5, 10.53, {"*": 89.4, "store_id": 100}, {"amount": 11})
    assert breaches(pair.diff(replace(ORDERS, thresholds=within))) == []
    beyond = Thresholds(4.99, 4, 10.5, {"*": 89.5, "store_id": 100}, {"amount": 9})
    assert breaches(pair.diff(replace(ORDERS, thresholds=beyond))) == [
        "orders: max_removed_pct is 4.99 %, actual: 5 % of live's rows are gone.",
        "orders: max_added_pct is 4 %, actual: 5 % of live's rows came on top.",
        "orders: max_changed_pct is 10.5 %, actual: 10.53 % of the rows in both changed.",
        "orders: min_match_pct of amount is 89.5 %, actual: 89.47 % of the rows in both match.",
        # 0 + 1 + … + 99 = 4950; without 95 to 99 (485), with 10 and 5 more: 4480.
        "orders: max_total_change_pct of amount is 9 %, actual: 9.49 % (from 4950.00 to 4480.00).",
    ]


@ON_EITHER
def test_a_limit_that_cannot_be_checked_is_a_breach(pair: Pair) -> None:
    pair.table("gold", "a integer, gone integer", ["1, 1"] * 4)
    pair.table("gold__next", "a integer, came integer", ["1, 1"] * 3)
    limits = Thresholds(20, 0, 1, {"*": 99}, {"gone": 1, "came": 1, "a": 30})
    assert breaches(pair.diff(replace(ORDERS, key=(), thresholds=limits))) == [
        "orders: max_removed_pct is 20 %, actual: 25 % of live's rows are gone "
        "(by the number of rows, for want of a key).",
        "orders: max_changed_pct can't be checked: its YAML states no key.",
        "orders: min_match_pct can't be checked: its YAML states no key.",
        "orders: max_total_change_pct of gone is 1 %, but there is no total: it is gone, "
        "no number, personal or a key.",
    ]


@ON_EITHER
def test_a_limit_of_every_column_holds_for_those_that_cannot_be_compared(pair: Pair) -> None:
    pair.table("gold", f"{KEYED}, a integer, b date, c integer", ["1, 1, null, 1"])
    pair.table("gold__next", f"{KEYED}, a integer, b integer, d integer", ["1, 1, null, 1"])
    limits = Thresholds(max_changed_pct=1, min_match_pct={"*": 99})
    gone = "but the column can't be compared: it is gone, of another type or part of the key."
    assert breaches(pair.diff(replace(ORDERS, thresholds=limits))) == [
        "orders: max_changed_pct can't be checked: values of b can't be compared, for they are of "
        "another type.",
        f"orders: min_match_pct of c is 99 %, {gone}",
        f"orders: min_match_pct of b is 99 %, {gone}",
    ]


@ON_EITHER
def test_limits_on_changes_cannot_be_checked_when_no_key_is_unique(pair: Pair) -> None:
    pair.make(f"{UNKEYED}, a integer", ["1, 1"] * 3, ["1, 2"] * 3)
    limits = Thresholds(max_changed_pct=5, min_match_pct={"a": 99})
    assert breaches(pair.diff(replace(ORDERS, thresholds=limits))) == [
        "orders: max_changed_pct can't be checked: no row has a key of its own.",
        "orders: min_match_pct can't be checked: no row has a key of its own.",
    ]


def test_a_limit_just_missed_is_told_with_as_many_digits_as_it_takes() -> None:
    diff = ModelDiff(
        *("orders", "changed", LIVE, NEXT, 1_000_000, 990_001),
        rows=Rows(10_001, 2, 989_999, 0),
        thresholds=Thresholds(max_removed_pct=1, max_added_pct=0),
    )
    assert breaches(diff) == [
        "orders: max_removed_pct is 1 %, actual: 1.0001 % of live's rows are gone.",
        "orders: max_added_pct is 0 %, actual: 0.0002 % of live's rows came on top.",
    ]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_remved_pct": 1}, "max_remved_pct is unknown: did you mean max_removed_pct?"),
        ({"rows": 1}, "rows is unknown; known: max_removed_pct, max_added_pct"),
        ({"max_removed_pct": "1"}, "max_removed_pct is '1': write a number of percent"),
        ({"max_removed_pct": True}, "max_removed_pct is True: write a number"),
        ({"max_removed_pct": None}, "max_removed_pct is None: write a number"),
        ({"max_added_pct": float("nan")}, "max_added_pct is nan: write a number"),
        ({"max_changed_pct": -1}, "max_changed_pct is -1, which no share of rows can be"),
        ({"min_match_pct": 101}, r"min_match_pct.\* is 101, which no share"),
        ({"min_match_pct": {"amout": 1}}, "min_match_pct.amout is no column: did you mean amount?"),
        ({"max_total_change_pct": 1}, "max_total_change_pct is by column: write"),
        (
            {"max_total_change_pct": {"amount": []}},
            "max_total_change_pct.amount is .*: write a number",
        ),
    ],
)
def test_thresholds_that_are_not_understood(limits: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ThresholdError, match=f"orders: config.meta.diff.{message}"):
        from_nodes(limited(**limits), LIVE, NEXT)


def test_thresholds_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(ThresholdError, match=r"orders: config.meta.diff is no mapping"):
        from_nodes(node(config={"meta": {"diff": 5}}), LIVE, NEXT)


# ------------------------------------------------------------------ dbt's nodes


def test_a_node_says_key_personal_columns_and_limits() -> None:
    found = from_nodes(limited(max_removed_pct=1, min_match_pct=99.5), LIVE, NEXT)
    assert found == Compared(
        name="orders",
        live=LIVE,
        next=NEXT,
        key=("id",),
        personal=frozenset({"email"}),
        thresholds=Thresholds(max_removed_pct=1, min_match_pct={"*": 99.5}),
        described=frozenset({"id", "amount", "email"}),
    )


def test_what_was_personal_in_live_stays_so() -> None:
    hashed = node()
    hashed["columns"]["email"]["config"] = {"meta": {"contains_pii": False}}
    assert from_nodes(hashed, LIVE, NEXT).personal == frozenset()
    assert from_nodes(hashed, LIVE, NEXT, was=node()).personal == {"email"}


def test_a_key_is_the_contract_s_or_what_tests_say_or_unique_key() -> None:
    bare = node(columns={})
    stated = {"type": "primary_key", "columns": ["a", "b"]}
    cases: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [
        ({"constraints": [stated], "primary_key": ["c"]}, ("a", "b")),
        ({"primary_key": ["c"], "config": {"unique_key": "d"}}, ("c",)),
        ({"config": {"unique_key": "d"}}, ("d",)),
        ({"config": {"unique_key": ["d", "e"]}}, ("d", "e")),
        ({"config": {"unique_key": "d"}, "resource_type": "snapshot"}, ()),
        ({}, ()),
    ]
    for changes, key in cases:
        assert from_nodes({**bare, **changes}, LIVE, NEXT).key == key


def test_every_gold_model_of_the_project_can_be_compared(manifest: dict[str, Any]) -> None:
    from dbt.contracts.graph.nodes import ModelNode

    gold = [
        n
        for n in manifest["nodes"].values()
        if n["resource_type"] == "model" and n["fqn"][1] == "gold"
    ]
    limited_models = 0
    for found in gold:
        compared = from_nodes(found, LIVE, NEXT)
        assert compared.key, compared.name
        assert from_nodes(ModelNode.from_dict(found), LIVE, NEXT) == compared
        limited_models += compared.thresholds != Thresholds()
    assert limited_models
    customers = next(found for found in gold if found["name"] == "dim_rental_customer")
    assert {"first_name", "email"} <= from_nodes(customers, LIVE, NEXT).personal


# ------------------------------------------------------------------ renderings

EVIL = "x`|\\\n<img src=x> @team [a](b) **c** \x1b[31m #1 _d_"


def evil() -> ModelDiff:
    return ModelDiff(
        *(EVIL, "changed", (EVIL, EVIL), NEXT, 4, 3),
        key=(EVIL,),
        added=(NamedType(EVIL, "integer"),),
        rows=Rows(1, 0, 3, 1),
        matches=(Match(EVIL, 1, 3),),
        totals=(Total(EVIL, Decimal(1), Decimal(2)),),
        shared=(Shared("changed", EVIL, 1, 100, 1, (EVIL,)),),
        examples=(Example("live", (EVIL,)),),
        thresholds=Thresholds(max_removed_pct=1),
    )


def test_names_and_values_are_inert_in_markdown() -> None:
    keyless = replace(evil(), rows=None, why_no_key=f"{EVIL} of its key is no column of live")
    text = markdown([evil(), keyless, replace(evil(), status="unchanged")])
    for line in text.splitlines():
        outside = "".join(line.split("`")[::2])
        if line.startswith("<details>"):
            inside = line.removeprefix("<details><summary><code>").removesuffix("</code></summary>")
            assert not set(inside) & set("<>@[*`|_")
        else:
            assert line.count("`") % 2 == 0
            assert (
                not set(outside.replace("**beyond limits**", "")) & set("<>@[\\_")
                or line == "</details>"
            )
        if line.startswith("|") and "--" not in line:
            assert line.count("|") == 8
    assert "\x1b" not in text


def test_a_terminal_obeys_no_name_and_no_line_is_too_long() -> None:
    wide = replace(evil(), matches=tuple(Match(f"column_{n}" * 20, 1, 3) for n in range(30)))
    text = terminal([evil(), wide, replace(evil(), status="unchanged")])
    assert "\x1b" not in text
    assert "[a](b)" in text
    assert max(map(len, text.splitlines())) <= 110


def test_the_verdict_comes_first_and_unchanged_models_take_a_line() -> None:
    same = ModelDiff("a_same", "unchanged", LIVE, NEXT, 5, 5, rows=Rows(0, 0, 5, 0))
    also = replace(same, name="b_same")
    grown = ModelDiff("grown", "changed", LIVE, NEXT, 5, 6, rows=Rows(0, 1, 5, 0))
    shrunk = ModelDiff(
        *("shrunk", "changed", LIVE, NEXT, 5, 4),
        rows=Rows(1, 0, 4, 0),
        thresholds=Thresholds(max_removed_pct=1),
    )
    assert verdict([same]) == "NO DIFFERENCE: 1 model compared with live."
    assert verdict([same, grown]) == "WITHIN LIMITS: 1 of 2 models differs from live."
    text = terminal([same, grown, also, shrunk])
    assert text.splitlines()[:2] == [
        "BEYOND LIMITS: 1 model beyond its limits; 2 of 4 models differ from live.",
        "  ! shrunk: max_removed_pct is 1 %, actual: 20 % of live's rows are gone.",
    ]
    assert text.endswith("a_same: unchanged, 5 rows\nb_same: unchanged, 5 rows\n")
    assert "2 models unchanged: `a_same`, `b_same`" in markdown([same, grown, also, shrunk])
    assert [one["name"] for one in as_json([same, grown, also, shrunk])["models"]] == [
        *("shrunk", "grown", "a_same", "b_same")
    ]


def test_json_is_plain_and_its_keys_are_documented() -> None:
    found = json.loads(json.dumps(as_json([evil()]), allow_nan=False))
    assert (found["format"], found["breaches"]) == (1, 1)
    from common.project import ROOT

    page = (ROOT / "docs" / "diff.md").read_text()

    def keys(value: Any) -> Iterator[str]:  # noqa: ANN401
        if isinstance(value, dict):
            yield from value
            yield from itertools.chain.from_iterable(map(keys, value.values()))
        elif isinstance(value, list):
            yield from itertools.chain.from_iterable(map(keys, value))

    assert [key for key in dict.fromkeys(keys(found)) if f"`{key}`" not in page] == []


# ------------------------------------------------------------------ T-SQL without a server


def test_what_sql_server_is_sent_is_t_sql() -> None:
    def column(name: str, base: str, length: int = 4) -> Column:
        return _column(name, base, length, 18, 2, False)

    assert "nvarchar(max)" in column("note", "varchar", 8000).equal_by[0]
    assert "nvarchar(max)" not in column("note", "nvarchar", 8000).equal_by[0]
    engine = SqlServer()
    columns = [
        *(column("note", "varchar", 20), column("n", "nvarchar", -1), column("amount", "decimal")),
        *(
            column("doc", "xml"),
            column("x", "float"),
            column("on_date", "date"),
            column("m", "money"),
        ),
    ]
    key = [column("id", "int"), column("order", "nvarchar", 40)]
    pairs = tuple((one, one) for one in columns)
    sides = Sides(engine, LIVE, NEXT, tuple((one, one) for one in key), pairs)
    grouped = [pair for pair in pairs if pair[0].group]
    sent = [
        statements.totals(sides, [pair for pair in pairs if pair[0].total]),
        statements.vague_keys(sides),
        statements.keys(sides),
        statements.different_rows(sides),
        statements.counts(sides),
        statements.frequent_values(sides, len(grouped), ["live", "changed"], 3),
        statements.rows_having(
            engine, LIVE, [(grouped[0][0], ["a'b", None]), (grouped[1][0], ["c"])]
        ),
        statements.examples(sides, 5),
        statements.differences(sides, grouped, is_clean=True, with_keys=True),
        statements.differences(sides, grouped, is_clean=False, with_keys=False),
        statements.differences(replace(sides, columns=()), [], is_clean=True, with_keys=False),
    ]
    for statement in sent:
        assert check(statement) == [], statement
