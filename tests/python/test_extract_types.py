"""Every type lands exactly, under names that try to break out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

import warm
from common.postgres import identifier
from common.project import ROOT
from databases import Database
from extraction.names import landing_name
from extraction.spec import TableSpec
from extraction_support import Shop, spec
from portable_sql import DBT

TYPES = """
    create type mood as enum ('sad', 'ok', 'très content');
    create domain positive as numeric(10, 2) check (value > 0);
    create domain year as integer;
    create domain later_year as year;
    create domain moods as mood[];
    create type pair as (a int, b text);
    create table item (
        id int primary key,
        small smallint, big bigint, real4 real, real8 double precision,
        exact numeric(12, 4), free numeric, cash money,
        flag boolean, one "char", tag name, code character(8), short varchar(20), body text,
        day date, at_zone timestamptz(3), at_local timestamp, clock time, clock_zone timetz,
        gap interval, key uuid, doc json, docb jsonb, raw bytea, bits bit(5), varbits varbit,
        feeling mood, feelings mood[], price positive, founded later_year, all_moods moods,
        numbers int[], texts text[], shorts varchar(5)[], matrix int[][], prices positive[],
        words tsvector, spot point, net inet, mac macaddr, span int4range, spans tstzrange,
        pairing pair, markup xml, kind regclass, doubled int generated always as (id * 2) stored
    )
"""
ROWS = r"""
    insert into item values
    (1, 32767, 9223372036854775807, 3.4e38, 1.7976931348623157e308, 12345678.9012,
     1234567890123456789012345678901234567890.0123456789, 12.34,
     true, 'x', 'n', 'pad', 'short', 'body', '2026-11-20', '2026-11-20 12:34:56.789+09',
     '2026-11-20 12:34:56.123456', '23:59:59.999999', '12:00+05:30', '1 year -2 days 03:04:05',
     '6f8f0e3c-9b0a-4a0e-8f53-000000000001', '{"b": 1,  "a": [null]}', '{"b": 1, "a": "é"}',
     '\x00ff00', b'10101', b'1', 'ok', '{sad,ok}', 1.50, 2026, '{ok}',
     '{1,NULL,3}', '{"a,b",NULL,"q\"q",""}', '{ab,cde}', '{{1,2},{3,4}}', '{1.10,2}',
     to_tsvector('simple', 'the quick fox'), '(1,2)', '10.0.0.0/8', '08:00:2b:01:02:03',
     '[1,5)', '[2026-01-01,2026-02-01)', '(1,"x y")', null, 'item'),
    (2, -32768, -9223372036854775808, 'NaN', '-Infinity', -0.0001, 'NaN', -0.01,
     false, '', '', '', '', '', 'infinity', '-infinity', 'infinity', '00:00', '00:00-12',
     '-1 mon', null, 'null', 'null', '', b'00000', b'', 'très content', '{}', null, null, '{}',
     '{}', '{}', '{}', '{}', '{}', '', null, '::1', null, 'empty', '(,)', '(,)', null, null),
    (3, null, null, 'Infinity', '-0', null, 'Infinity', null, null, null, null, null, null,
     U&'\0001 tab:\0009 nl:\000A emoji:\+01F600 rtl:\05D0 nfd:e\0301 max:\+10FFFF ''" \\',
     '4713-01-01 BC', '0001-01-01 00:00:00+00 BC', null, '24:00', null, null, null, null, null,
     null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null, null, null, null, null)
"""


@dataclass(frozen=True)
class RoleOf(Database):
    """A database as another role sees it."""

    role: str

    @property
    def url(self) -> str:
        return super().url.replace("postgres@", f"{self.role}@")


def _as_text(column: str, cast: str) -> str:
    return f"{identifier(column)}{cast}::text"


# What the source's value is in landing, where that is another type than its own.
CASTS = {"code": "::text", "cash": "::numeric"}


def test_every_type_lands_with_the_same_value(shop: Shop) -> None:
    shop.source.execute(TYPES)
    shop.source.execute(ROWS)
    shop.load(spec())
    columns = [
        name
        for (name,) in shop.source.query(
            "select attname from pg_attribute where attrelid = 'item'::regclass and attnum > 0"
        )
    ]
    for column in columns:
        there = shop.source.query(
            f"select t.id, {_as_text(column, CASTS.get(column, ''))} from item as t order by t.id"
        )
        here = shop.warehouse.query(
            f"select t.id, {_as_text(column, '')} from landing_shop.item as t order by t.id"
        )
        assert here == there, column


def test_landing_types_are_the_base_types(shop: Shop) -> None:
    shop.source.execute(TYPES)
    shop.load(spec())
    types = dict(
        shop.warehouse.query(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = 'landing_shop.item'::regclass and attnum > 0"
        )
    )
    expected = {
        "exact": "numeric",
        "price": "numeric",
        "founded": "integer",
        "short": "text",
        "code": "text",
        "feeling": "text",
        "feelings": "text[]",
        "prices": "text[]",
        "shorts": "text[]",
        "numbers": "integer[]",
        "at_zone": "timestamp with time zone",
        "docb": "jsonb",
        "words": "tsvector",
        "raw": "bytea",
        "pairing": "text",
        "doubled": "integer",
        "_loaded_at": "timestamp with time zone",
        "_batch_id": "bigint",
        "_deleted_at": "timestamp with time zone",
    }
    assert {name: types[name] for name in expected} == expected


def test_every_type_is_merged_into_bronze(shop: Shop, tmp_path: Path) -> None:
    """Postgres has no `=` for json, points and polygons."""
    shop.source.execute(TYPES)
    shop.source.execute(ROWS)
    item = spec(mode="compare", primary_key=("id",))
    project = bronze_project(tmp_path, shop, item)
    for doc in ('{"b": 1}', '{"b": 2}'):
        shop.source.execute("update item set doc = %s where id = 1", [doc])
        shop.load(item)
        built = warm.run(DBT, ["build", *project], shop.warehouse.env, tmp_path)
        assert built.returncode == 0, built.stdout
        bronze = "select count(*), max(doc::text) filter (where id = 1) from dev_test.br_shop__item"
        assert shop.warehouse.query(bronze) == [(3, doc)]


def bronze_project(folder: Path, shop: Shop, table: TableSpec) -> list[str]:
    """A project of one bronze model, with the real macros; dbt's options for it."""
    columns = shop.source.query(
        "select attname from pg_attribute where attrelid = 'item'::regclass and attnum > 0"
    )
    extract = {"mode": table.mode, "primary_key": list(table.primary_key)}
    item = {
        "name": table.table,
        "config": {"meta": {"extract": extract}},
        "columns": [{"name": name} for (name,) in columns],
    }
    sources = [{"name": table.source, "schema": table.landing[0], "tables": [item]}]
    (folder / "models").mkdir()
    (folder / "models" / "sources.yml").write_text(yaml.safe_dump({"sources": sources}))
    (folder / "models" / "br_shop__item.sql").write_text(
        "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}"
        "{{ bronze_current_rows('shop', 'item') }}"
    )
    (folder / "dbt_project.yml").write_text("{name: medallion, profile: medallion}")
    (folder / "macros").symlink_to(ROOT / "macros")
    return ["--project-dir", str(folder), "--profiles-dir", str(ROOT)]


def test_partitions_views_and_foreign_encodings_land(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id int, day date) partition by range (day);"
        "create table item_old partition of item for values from (minvalue) to ('2026-01-01');"
        "create table item_new partition of item for values from ('2026-01-01') to (maxvalue);"
        "insert into item values (1, '2025-01-01'), (2, '2026-06-01');"
        "create view seen as select * from item where id = 2"
    )
    assert shop.load(spec()).rows == 2
    assert shop.load(spec("seen")).rows == 1
    assert shop.landed(spec("seen"), "id") == [(2,)]


def test_what_takes_no_lock_lands_all_the_same(shop: Shop) -> None:
    role = f"reader_{shop.source.name}"
    shop.source.execute(
        "create table item as select 1 as id, 'x' as password;"
        "create materialized view seen as select id from item;"
        f'create role "{role}" login; grant select (id) on item to "{role}";'
        f'grant select on seen to "{role}"'
    )
    reader = replace(shop, source=RoleOf(shop.source.name, role))
    assert reader.load(spec(exclude=frozenset({"password"}))).rows == 1
    assert reader.load(spec("seen")).rows == 1
    shop.source.execute(f'drop owned by "{role}"; drop role "{role}"')


HOSTILE_COLUMNS = [
    'a"; drop table item; --',
    "SalesOrderID",
    "Order Date",
    "select",
    "100%",
    "%s",
    "naïve Größe",
    "日本語",
    "x" * 63,
    "Y" * 63,
    "tab\there",
    "$1",
    "{}",
    "'quoted'",
    "back\\slash",
    "!!!",
    "???",
]


def test_hostile_names_are_only_names(shop: Shop) -> None:
    table = 'Order "Items"; drop schema public cascade; --'
    columns = ", ".join(f"{identifier(name)} int" for name in HOSTILE_COLUMNS)
    values = ", ".join(str(number) for number in range(len(HOSTILE_COLUMNS)))
    shop.source.execute(f"create schema {identifier('My Schema')}")
    where = identifier("My Schema", table)
    shop.source.execute(f"create table {where} ({columns})")
    shop.source.execute(f"insert into {where} values ({values})")
    for mode in ({}, {"mode": "cursor", "cursor": "100%", "primary_key": ("Order Date",)}):
        for landing in (("landing_shop", "hostile"), ('landing "shop"', 'a"b; %s --')):
            hostile = spec(
                "hostile", from_=("My Schema", table), landing=landing, deletes="none", **mode
            )
            shop.load(hostile)
            names = [landing_name(name) for name in HOSTILE_COLUMNS]
            listed = ", ".join(map(identifier, names))
            assert shop.landed(hostile, listed)[0] == tuple(range(len(names)))
            shop.warehouse.execute(
                f"drop schema {identifier(landing[0])} cascade; drop schema ops cascade"
            )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SalesOrderID", "sales_order_id"),
        ("salesOrderId", "sales_order_id"),
        ("HTTPServer2XX", "http_server2_xx"),
        ("already_snake", "already_snake"),
        ("Order Date (UTC)", "order_date_utc"),
        ("ÜberGröße", "über_größe"),
        ("_rowid", "_rowid"),
        ("a__b", "a_b"),
        ("2026Total", "2026_total"),
    ],
)
def test_names_become_snake_case(name: str, expected: str) -> None:
    assert landing_name(name) == expected


def test_names_that_cannot_be_kept_stay_different() -> None:
    assert landing_name("!!!") != landing_name("???")
    long, other = "CamelCase" * 8, "CamelCase" * 8 + "X"
    assert landing_name(long) != landing_name(other)
    assert len(landing_name("é" * 63).encode()) <= 63


def test_two_columns_with_one_landing_name_need_a_rename(shop: Shop) -> None:
    shop.source.execute(
        'create table item ("Name" text, name text); insert into item values (1, 2)'
    )
    error = shop.fail(spec())
    assert "rename" in error
    assert "'name'" in error
    shop.load(spec(rename={"name": "lower_name"}))
    assert shop.landed(spec(), "name, lower_name") == [("1", "2")]


def test_a_column_to_be_left_is_not_missed_by_its_case(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id int, \"Password\" text); insert into item values (1, 'x')"
    )
    error = shop.fail(spec(exclude=frozenset({"password"})))
    assert "the source's column is 'Password'" in error
    assert not shop.has_landed(spec())
    shop.load(spec(exclude=frozenset({"Password"})))
    shop.source.execute("alter table item add column password text")
    assert "the source's column is 'password'" in shop.fail(spec(exclude=frozenset({"Password"})))
    shop.load(spec(exclude=frozenset({"Password"}), rename={"password": "other"}))


def test_a_column_can_be_left_at_the_source(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id int, password text); insert into item values (1, 'x')"
    )
    shop.load(spec(exclude=frozenset({"password"})))
    columns = shop.warehouse.query(
        "select column_name from information_schema.columns where table_name = 'item'"
    )
    assert ("password",) not in columns
