"""What Postgres sends to a SQL Server: documents that it can type, and no value that it can't hold.

The other half, what SQL Server makes of them, is in test_extract_sqlserver.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from common.postgres import connect
from databases import Database
from extraction.errors import ExtractError
from extraction.postgres.reader import PostgresReader
from extraction.sqlserver.landing_types import DECLARED, described, row_hash, widens
from extraction.sqlserver.loading import arrays
from extraction_support import spec
from test_extract_types import TYPES


def _reader(source: Database) -> PostgresReader:
    return PostgresReader(connect(source.url, "test"), "source shop (SHOP_URL)", "sqlserver")


def _documents(source: Database) -> Iterator[dict[str, Any]]:
    chunks: list[bytes] = []
    with closing(_reader(source)) as reader:
        columns = reader.columns(spec())
        reader.stream(spec(), columns, None)({})(lambda chunk, rows: chunks.append(chunk))
    for array in arrays(chunks, 1000):
        yield from json.loads(array)


def _types(source: Database) -> dict[str, str]:
    with closing(_reader(source)) as reader:
        return {column.name: column.type for column in reader.columns(spec())}


def test_each_type_has_one_in_sql_server(source: Database) -> None:
    source.execute(TYPES)
    types = _types(source)
    expected = {
        **{"id": "int", "small": "smallint", "big": "bigint", "real4": "real", "real8": "float"},
        **{"exact": "decimal(38,4)", "free": "decimal(38,12)", "cash": "decimal(38,12)"},
        **{"flag": "bit", "body": "varchar(max)", "code": "varchar(max)", "short": "varchar(max)"},
        **{"day": "date", "at_zone": "datetime2(6)", "at_local": "datetime2(6)"},
        **{"clock": "time(6)", "clock_zone": "varchar(max)", "gap": "varchar(max)"},
        **{"key": "uniqueidentifier", "doc": "nvarchar(max)", "docb": "nvarchar(max)"},
        **{"raw": "varbinary(max)", "feeling": "varchar(max)", "feelings": "nvarchar(max)"},
        **{"price": "decimal(38,2)", "founded": "int", "numbers": "nvarchar(max)"},
        **{"words": "varchar(max)", "pairing": "varchar(max)", "doubled": "int"},
    }
    assert {name: types[name] for name in expected} == expected


def test_a_document_holds_each_value_as_sql_server_reads_it(source: Database) -> None:
    source.execute(
        "create table item (id int, at timestamptz, local timestamp, free numeric, raw bytea,"
        " texts text[], doc jsonb, flag boolean, key uuid, day date, body text, nothing text);"
        "insert into item values (1, '2026-11-20 12:34:56.789+09', '2026-11-20 12:34:56.123456',"
        " 12345678901234567890.000000000001, '\\x00ff', '{\"a,b\",null}', '{\"a\": \"é\"}', true,"
        " '6f8f0e3c-9b0a-4a0e-8f53-000000000001', '0001-01-01', E'\\x01 \\t\\n 🙂 \\\\ \"', null)"
    )
    (document,) = _documents(source)
    assert document == {
        "id": 1,
        "at": "2026-11-20T03:34:56.789",
        "local": "2026-11-20T12:34:56.123456",
        "free": pytest.approx(12345678901234567890.000000000001),
        "raw": "00ff",
        "texts": '["a,b",null]',
        "doc": '{"a": "é"}',
        "flag": True,
        "key": "6f8f0e3c-9b0a-4a0e-8f53-000000000001",
        "day": "0001-01-01",
        "body": '\x01 \t\n 🙂 \\ "',
        "nothing": None,
    }


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("numeric", "NaN"),
        ("numeric(10, 2)", "NaN"),
        ("numeric", "Infinity"),
        ("numeric", "0.0000000000001"),
        ("numeric", "100000000000000000000000000"),
        ("numeric(60, 2)", "1e40"),
        ("real", "Infinity"),
        ("double precision", "NaN"),
        ("date", "infinity"),
        ("date", "0001-01-01 BC"),
        ("timestamp", "10000-01-01"),
        ("timestamptz", "-infinity"),
        ("time", "24:00"),
    ],
)
def test_a_value_that_sql_server_can_t_hold_is_refused_by_name(
    source: Database, type_: str, value: str
) -> None:
    source.execute(f"create table item (id int, odd {type_}); insert into item values (1, null)")
    assert [document["odd"] for document in _documents(source)] == [None]
    source.execute("insert into item values (2, %s)", [value])
    with pytest.raises(ExtractError, match="in column odd has no place in SQL Server"):
        list(_documents(source))


def test_lines_that_are_cut_anywhere_become_arrays_of_whole_lines() -> None:
    lines = b"".join(json.dumps({"n": n, "t": "é\n" * n}).encode() + b"\n" for n in range(50))
    for size in (1, 7, 100, len(lines)):
        cut = [lines[start : start + size] for start in range(0, len(lines), size)]
        found = [document for array in arrays(cut, 200) for document in json.loads(array)]
        assert [document["n"] for document in found] == list(range(50))
    assert list(arrays([], 200)) == []


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("int", "bigint", True),
        ("bigint", "int", False),
        ("bigint", "decimal(38,12)", True),
        ("bigint", "decimal(38,30)", False),
        ("decimal(38,2)", "decimal(38,4)", True),
        ("decimal(38,4)", "decimal(38,2)", False),
        ("date", "datetime2(6)", True),
        ("real", "float", True),
        ("int", "varchar(max)", False),
        ("nvarchar(max)", "varchar(max)", False),
    ],
)
def test_a_type_widens_to_one_that_holds_its_values(old: str, new: str, fits: bool) -> None:
    assert widens(old, new) is fits


def test_what_the_catalogue_describes_is_written_as_it_was_declared() -> None:
    assert described("varchar", -1, 0, 0) == "varchar(max)"
    assert described("nvarchar", 20, 0, 0) == "nvarchar(10)"
    assert described("decimal", 17, 38, 12) == DECLARED["numeric"]
    assert described("datetime2", 8, 26, 6) == "datetime2(6)"
    assert described("int", 4, 10, 0) == "int"


def test_a_wide_row_has_a_hash_too() -> None:
    columns = {f"c{number}": "int" for number in range(500)}
    assert row_hash("t", columns).count("concat(convert(varchar(max), '')") == 3
