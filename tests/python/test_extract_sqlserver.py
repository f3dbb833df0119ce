"""A warehouse on SQL Server: what differs from one on Postgres, from values to readers."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from contextlib import closing
from decimal import Decimal
from itertools import product
from typing import Any

import pyodbc
import pytest

from commands import script
from common import sqlserver
from common.ops import Publish, recorded_publish
from databases import SqlServerDatabase, skip_for_want, temporary_sqlserver_database
from extraction.errors import ExtractError
from extraction.run import Options, extract
from extraction.spec import TableSpec
from extraction_fault import SQLSERVER_CONNECT, FaultyConnection
from extraction_support import Shop, Silent, cursor_spec, spec
from faulty_cursor import statements
from warehouses import ON_SQLSERVER

pytestmark = ON_SQLSERVER

BOTH = pytest.mark.parametrize(
    "table", [spec(primary_key=("id",)), cursor_spec()], ids=["full", "cursor"]
)
ITEMS = """
    create table item (id int primary key, size int, name text, updated_at timestamptz);
    insert into item values (1, 10, 'one', '2026-01-01')
"""


@pytest.fixture
def items(shop: Shop) -> Shop:
    shop.source.execute(ITEMS)
    return shop


def _types(shop: Shop) -> dict[str, str]:
    return dict(
        shop.warehouse.query(
            "select c.name, t.name from sys.columns as c "
            "inner join sys.types as t on t.user_type_id = c.user_type_id "
            "where c.object_id = object_id('landing_shop.item')"
        )
    )


# ------------------------------------------------------------------ values

COLUMNS = {
    "id": ("int", "1", 1),
    "small": ("smallint", "-32768", -32768),
    "big": ("bigint", "9223372036854775807", 2**63 - 1),
    "real4": ("real", "0.25", 0.25),
    "real8": ("double precision", "0.1", 0.1),
    "largest": ("double precision", "1.7976931348623157e308", 1.7976931348623157e308),
    "exact": ("numeric(12, 4)", "-12345678.9012", Decimal("-12345678.9012")),
    "free": ("numeric", "12345678901234567890.000000000001", "12345678901234567890.000000000001"),
    "cash": ("money", "12.34", Decimal("12.34")),
    "flag": ("boolean", "true", True),
    "body": (
        "text",
        "  é 日本語 🙂 \t\n\x01 \\ \" '' ] --  ",
        "  é 日本語 🙂 \t\n\x01 \\ \" '' ] --  ",
    ),
    "empty": ("text", "", ""),
    "code": ("character(8)", "pad", "pad"),
    "day": ("date", "0001-01-01", dt.date(1, 1, 1)),
    "last_day": ("date", "9999-12-31", dt.date(9999, 12, 31)),
    "at_zone": (
        *("timestamptz", "2026-11-20 12:34:56.789012+09"),
        dt.datetime(2026, 11, 20, 3, 34, 56, 789012),
    ),
    "at_local": (
        *("timestamp", "2026-11-20 12:34:56.123456"),
        dt.datetime(2026, 11, 20, 12, 34, 56, 123456),
    ),
    "clock": ("time", "23:59:59.999999", "23:59:59.999999"),
    "gap": ("interval", "1 day 02:03:04", "1 day 02:03:04"),
    "key": ("uuid", *["6f8f0e3c-9b0a-4a0e-8f53-00000000000a"] * 2),
    "doc": ("jsonb", '{"a": ["é", null]}', '{"a": ["é", null]}'),
    "raw": ("bytea", "\\x00ff0a", b"\x00\xff\x0a"),
    "numbers": ("int[]", "{1,NULL,3}", "[1,null,3]"),
    "texts": ("text[]", '{"a,b",NULL,"q\\"q"}', '["a,b",null,"q\\"q"]'),
    "feeling": ("mood", "très content", "très content"),
}


def _read(column: str) -> str:
    """As UTF-16, whatever code page the server has for `varchar`."""
    is_text = column in ("body", "empty", "code", "gap", "feeling")
    return f"convert(nvarchar(max), [{column}])" if is_text else f"[{column}]"


def _plain(value: object) -> object:
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


def test_every_type_lands_with_the_same_value(shop: Shop) -> None:
    shop.source.execute("create type mood as enum ('très content')")
    definitions = ", ".join(f"{name} {type_}" for name, (type_, _, _) in COLUMNS.items())
    shop.source.execute(f"create table item ({definitions})")
    shop.source.execute(
        f"insert into item values ({', '.join(['%s'] * len(COLUMNS))}), ({'null,' * 24} null)",
        [value for _, value, _ in COLUMNS.values()],
    )
    assert shop.load(spec()).rows == 2
    nulls, values = (
        dict(zip(COLUMNS, row, strict=True))
        for row in shop.warehouse.query(
            f"select {', '.join(map(_read, COLUMNS))} from landing_shop.item order by id"
        )
    )
    assert set(nulls.values()) == {None}
    for name, (_, _, expected) in COLUMNS.items():
        found = _plain(values[name])
        if isinstance(expected, str):
            assert str(found).lower() == expected.lower(), name
        else:
            assert found == expected, name


@pytest.mark.parametrize("is_faithful", [1, 0], ids=["openjson", "values"])
def test_both_ways_to_load_land_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, is_faithful: int
) -> None:
    """As values if the server's openjson() changes texts, which these have nothing for."""
    monkeypatch.setattr("extraction.sqlserver.writer.IS_FAITHFUL", f"select {is_faithful}")
    monkeypatch.setattr("extraction.sqlserver.loading.CHUNK_BYTES", 10_000)
    shop.source.execute(
        "create table item as select i as id, 'item ' || i as name, i / 4.0::numeric(10, 2) as n,"
        " i / 3.0::float as f, i % 2 = 0 as is_even, decode(lpad(to_hex(i), 4, '0'), 'hex') as raw,"
        " timestamptz '2026-01-01' + i * interval '1 ms' as at,"
        " case when i % 7 = 0 then null else date '2026-01-01' + i end as day"
        " from generate_series(1, 2000) as i"
    )
    assert shop.load(spec()).rows == 2000
    query = "select id, name, n, f, is_even, raw, {}, day from {} order by id"
    there = shop.source.query(query.format("at at time zone 'UTC'", "item"))
    here = shop.warehouse.query(query.format("[at]", "landing_shop.item"))
    assert [(*row[:5], bytes(row[5]), *row[6:]) for row in there] == here


def test_texts_of_any_length_land_whole(shop: Shop) -> None:
    shop.source.execute(
        "create table item as select i as id, repeat('é🙂x', i * 100000) as body "
        "from generate_series(0, 10) as i"
    )
    assert shop.load(spec()).rows == 11
    there = shop.source.query("select id, body from item order by id")
    here = shop.warehouse.query(
        "select id, convert(nvarchar(max), body) from landing_shop.item order by id"
    )
    assert here == there


def test_texts_that_differ_in_case_or_at_their_end_are_different(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id text primary key, name text, updated_at timestamptz);"
        "insert into item values ('a', 'x', '2026-01-01'), ('a ', 'x', '2026-01-01'), "
        "('A', 'x', '2026-01-01')"
    )
    table = cursor_spec(deletes="soft")
    full = spec("other", from_=("public", "item"))
    shop.load(table)
    shop.load(full)
    shop.source.execute(
        "delete from item where id = 'a '; update item set name = 'x ' where id='A'"
    )
    assert shop.load(table).deleted == 1
    assert shop.load(full).rows == 2, "only a blank changed in the one that stayed"
    flagged = "select concat(id, '|') from landing_shop.item where _deleted_at is not null"
    assert shop.warehouse.query(flagged) == [("a |",)]


def test_hostile_names_are_only_names(shop: Shop) -> None:
    names = ['a"; drop table item; --', "b]c", "'quoted'", "select", "日本語", "$.x", "back\\slash"]
    try:
        shop.warehouse.query("select 1 as [a]]b]")
        shop.warehouse.query("""select * from openjson('{}') with (a int '$."$.x"')""")
    except pyodbc.Error as error:
        skip_for_want(f"this server can't quote all names: {error}")
    rename = {name: name for name in names}
    columns = ", ".join('"' + name.replace('"', '""') + '" int' for name in names)
    shop.source.execute(f"create table item ({columns})")
    shop.source.execute("insert into item values (0, 1, 2, 3, 4, 5, 6)")
    hostile = spec(rename=rename, landing=("landing ]shop'", "a\"b]; '"))
    shop.load(hostile)
    quoted = ", ".join(sqlserver.identifier(name) for name in names)
    table = sqlserver.identifier(*hostile.landing)
    assert shop.warehouse.query(f"select {quoted} from {table}") == [(0, 1, 2, 3, 4, 5, 6)]


def test_a_value_that_has_no_place_leaves_landing_as_it_was(items: Shop) -> None:
    items.load(cursor_spec())
    items.source.execute("insert into item values (2, 1, 'new', '10000-01-01')")
    error = items.fail(cursor_spec())
    assert "updated_at has no place in SQL Server" in error
    assert items.landed(cursor_spec(), "id") == [(1,)]


# ------------------------------------------------------------------ columns that change


@BOTH
def test_a_new_column_is_added_and_a_missing_one_null(items: Shop, table: TableSpec) -> None:
    items.load(table)
    items.source.execute("alter table item add column colour text default 'red', drop column name")
    items.source.execute("insert into item (id, updated_at) values (2, now())")
    assert items.load(table).changes == [
        "colour added as varchar(max)",
        "name is missing at the source, null from now on",
    ]
    assert (2, "red", None) in items.landed(table, "id, colour, name")


@BOTH
def test_a_wider_type_widens_and_a_narrower_fits(items: Shop, table: TableSpec) -> None:
    items.load(table)
    items.source.execute("alter table item alter column size type bigint using 5000000000")
    items.source.execute("insert into item (id, size, updated_at) values (2, 5000000001, now())")
    assert items.load(table).changes == ["size widened from int to bigint"]
    assert _types(items)["size"] == "bigint"
    items.source.execute("alter table item alter column size type smallint using 7")
    items.source.execute("insert into item (id, size, updated_at) values (3, 8, now())")
    assert items.load(table).changes == []
    assert (3, 8) in items.landed(table, "id, size")


@BOTH
def test_an_incompatible_type_stops_the_table_until_it_is_mended(
    items: Shop, table: TableSpec
) -> None:
    items.load(table)
    before = items.landed(table)
    items.source.execute("alter table item alter column size type text")
    error = items.fail(table)
    assert "size was int and is now varchar(max)" in error
    assert items.landed(table) == before
    items.warehouse.execute(error.split("such as: ")[1].split(";")[0])
    items.load(table)
    assert (1, "10") in items.landed(table, "id, size")


@BOTH
def test_the_other_remedy_starts_a_column_anew(items: Shop, table: TableSpec) -> None:
    items.load(table)
    items.source.execute("alter table item alter column name type bytea using 'x'")
    remedy = items.fail(table).split("start anew): ")[1]
    try:
        items.warehouse.execute(remedy)
    except pyodbc.Error as error:
        skip_for_want(f"this server can't rename columns: {error}")
    items.load(table)
    assert {"name", "name_old"} <= set(_types(items))


# ------------------------------------------------------------------ what the server refuses


class _Struck(Silent):
    """Lets the nth statement after a step of a batch end in a fault, once."""

    def __init__(self, fault: str, step: str, number: int) -> None:
        self._fault, self._step, self._number = fault, step, number
        self._connections: list[FaultyConnection] = []
        self._at = 0

    @property
    def has_struck(self) -> bool:
        return 0 < self._at <= statements.done

    def connect(self, url: str, application_name: str) -> FaultyConnection:
        connection = FaultyConnection(
            SQLSERVER_CONNECT(url, application_name), self._fault, self._at, url
        )
        self._connections.append(connection)
        return connection

    def step(self, spec: TableSpec, step: str) -> None:
        if step == self._step and not self._at:
            self._connections[-1].at = self._at = statements.done + self._number


def _changed(shop: Shop) -> None:
    """There is a row that changed, one that is gone, and a column that landing has not."""
    shop.warehouse.execute("alter table landing_shop.item drop column size")
    shop.source.execute(
        "delete from item where id > 1;"
        "insert into item values (2 + extract(epoch from clock_timestamp())::int, 0, '', now());"
        "update item set name = name || '!', updated_at = clock_timestamp() where id = 1"
    )


def test_whatever_the_driver_says_is_told_as_the_warehouse_s(
    items: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = cursor_spec(deletes="soft")
    items.load(table)
    for step, number in product(("inspect", "evolve", "copy", "compare keys", "commit"), (1, 2)):
        _changed(items)
        struck = _Struck("refused", step, number)
        with monkeypatch.context() as patch:
            patch.setattr("common.sqlserver.connect", struck.connect)
            (result,) = items.extract(table, observer=struck)
        assert struck.has_struck
        assert f"{result.error}".startswith("warehouse: The SELECT permission was denied")
        assert items.load(table).rows > 0
    assert items.batches() == ["loaded", *["failed", "loaded"] * 10]


def test_a_lock_timeout_is_waited_out_at_any_statement_of_a_change(
    items: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is not read again: it waits as long as it would for a reader."""
    table = cursor_spec(deletes="soft")
    items.load(table)
    for step, number in [*product(["evolve"], [3, 4, 5]), *product(["commit"], range(1, 7))]:
        _changed(items)
        fault = _Struck("lock-timeout", step, number)
        with monkeypatch.context() as patch:
            patch.setattr("common.sqlserver.connect", fault.connect)
            result = items.load(table, observer=fault)
        assert fault.has_struck
        assert result.warnings == []
        assert items.current(table, "id") == items.source.query("select id from item order by id")
    assert set(items.batches()) == {"loaded"}


def test_a_batch_that_waited_in_vain_is_recorded_and_lets_go(
    items: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extraction.sqlserver.writer.READERS_TIMEOUT", 0)
    table = cursor_spec()
    items.load(table)
    _changed(items)
    fault = _Struck("lock-timeout", "commit", 4)
    with monkeypatch.context() as patch:
        patch.setattr("common.sqlserver.connect", fault.connect)
        error = items.fail(table, observer=fault)
    assert "in use" in error
    assert "sys.dm_tran_locks" in error
    assert items.batches() == ["loaded", "failed"]
    assert items.landed(table, "id") == [(1,)]
    assert items.load(table).rows == 2


# ------------------------------------------------------------------ what stands around landing


def test_a_replaced_table_keeps_what_is_granted(items: Shop) -> None:
    role = f"reader_{uuid.uuid4().hex[:8]}"
    items.load(spec())
    warehouse = items.warehouse
    try:
        warehouse.execute(f"create role {role}")
        warehouse.execute(f"grant select on landing_shop.item to {role}")
        warehouse.execute(f"grant update (name) on landing_shop.item to {role}")
    except Exception as error:
        skip_for_want(f"this server can't grant to a role: {error}")
    granted = (
        "select p.permission_name, c.name from sys.database_permissions as p "
        "inner join sys.database_principals as u on u.principal_id = p.grantee_principal_id "
        "left join sys.columns as c on c.object_id = p.major_id and c.column_id = p.minor_id "
        f"where p.major_id = object_id('landing_shop.item') and u.name = '{role}' order by 1"
    )
    before = warehouse.query(granted)
    if not before:
        skip_for_want("this server has no sys.database_permissions")
    items.source.execute("update item set name = 'new'")
    items.load(spec())
    after = warehouse.query(granted)
    warehouse.execute(f"drop table landing_shop.item; drop role {role}")
    assert after == before


def test_nothing_is_left_beside_landing(items: Shop) -> None:
    tables = (
        "select t.name from sys.tables as t "
        "inner join sys.schemas as s on s.schema_id = t.schema_id where s.name = 'landing_shop'"
    )
    for table in (spec(deletes="soft", primary_key=("id",)), cursor_spec()):
        items.load(table)
        items.load(table)
        items.source.execute("update item set name = name || '!', updated_at = now()")
        items.load(table)
    items.source.execute("insert into item values (2, 1, 'new', '10000-01-01')")
    items.fail(spec())
    assert items.warehouse.query(tables) == [("item",)]


@pytest.fixture
def held_up(items: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number by which this server says that a lock was not to be had: 1222 on SQL Server."""
    items.load(spec())
    with items.warehouse.connect() as one, items.warehouse.connect() as other:
        holder, waiter = one.cursor(), other.cursor()
        holder.execute("begin transaction")
        holder.execute("update landing_shop.item set name = name")
        waiter.execute("set lock_timeout 100")
        with pytest.raises(pyodbc.Error) as error:
            waiter.execute("update landing_shop.item set name = name")
        holder.execute("rollback transaction")
    number = sqlserver.explain(error.value).number
    monkeypatch.setattr("extraction.sqlserver.errors.HELD_UP", (1222, 1205, number))


@pytest.mark.usefixtures("held_up")
def test_a_full_load_waits_for_who_holds_the_table(items: Shop) -> None:
    items.load(spec())
    items.source.execute("update item set name = 'new' where id = 1")
    finished = threading.Event()
    with items.warehouse.connect() as reader, closing(reader.cursor()) as cursor:
        # A lock that a reader in a transaction keeps, which a plain select of SQL Server doesn't.
        cursor.execute("begin transaction")
        cursor.execute("select count(*) from landing_shop.item with (tablock, holdlock)")
        cursor.fetchall()

        def load() -> None:
            items.load(spec())
            finished.set()

        thread = threading.Thread(target=load)
        thread.start()
        time.sleep(2)
        was_replaced = finished.is_set()
        cursor.execute("commit transaction")
    thread.join(20)
    if was_replaced:
        skip_for_want("this server doesn't hold the lock that the hint asks for")
    assert finished.is_set()
    assert items.landed(spec(), "name") == [("new",)]


@pytest.mark.usefixtures("held_up")
def test_a_table_that_never_gets_free_is_said_to_be_in_use(
    items: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extraction.sqlserver.writer.READERS_TIMEOUT", 0.1)
    items.load(spec())
    items.source.execute("update item set name = 'new' where id = 1")
    with items.warehouse.connect() as reader, closing(reader.cursor()) as cursor:
        cursor.execute("begin transaction")
        cursor.execute("update landing_shop.item set name = name")
        error = items.fail(spec())
        cursor.execute("rollback transaction")
    assert "in use" in error
    assert items.landed(spec(), "name") == [("one",)]


def test_a_database_that_would_mix_up_texts_is_refused(items: Shop) -> None:
    with temporary_sqlserver_database("wrong", ["SQL_Latin1_General_CP1_CI_AS"]) as wrong:
        shop = Shop(items.source, wrong)
        with pytest.raises(AssertionError, match="Latin1_General_100_BIN2_UTF8"):
            shop.load(spec())


def test_a_password_is_in_no_message(items: Shop) -> None:
    wrong = items.warehouse.url.replace("@", "x@", 1)
    password = sqlserver.password(wrong) or ""
    options = Options(wrong, {"shop": items.source.url}, wait=1)
    with pytest.raises(ExtractError) as error:
        extract([spec()], options, Silent(), lambda result: None)
    assert password not in str(error.value)


# ------------------------------------------------------------------ commands


def test_extract_py_needs_nothing_but_the_target(items: Shop) -> None:
    items.source.execute(
        "create table category (category_id int primary key, name text, last_update timestamptz);"
        "insert into category values (1, 'Action', now())"
    )
    env = {**items.warehouse.env, "PAGILA_URL": items.source.url}
    arguments = ["--target", "dev_sqlserver", "--table", "pagila.category"]
    done = script("extract.py", *arguments, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert items.warehouse.query("select name from landing_pagila.category") == [("Action",)]


def test_a_publish_is_recorded_as_it_ended(warehouse: SqlServerDatabase) -> None:
    def connect() -> Any:  # noqa: ANN401
        return sqlserver.connect(warehouse.url, "test")

    with recorded_publish(connect, Publish("prod", code_version="abc")) as publish:
        assert warehouse.query("select status from ops.publishes") == [("running",)]
        publish.generation = 42
    with pytest.raises(ZeroDivisionError), recorded_publish(connect, Publish("prod")):
        _ = 1 / 0
    assert warehouse.query(
        "select status, generation, code_version from ops.publishes order by started_at"
    ) == [("succeeded", 42, "abc"), ("failed", None, None)]
