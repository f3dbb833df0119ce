"""Rows of the driver as COPY's text and as JSON, as Postgres reads them back; without a server."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from databases import Database
from extraction.sqlserver.lines import ZeroError, copy_text, json_lines
from extraction.sqlserver.types import Form

ZONE = timezone(timedelta(hours=-3, minutes=-30))
TEXTS: list[Any] = ["", "\\N", "\\", "a\tb\nc\rd", "日本🎉", " x ", None, "\\.", "\\t"]


def back(warehouse: Database, lines: bytes, types: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create temporary table t ({types})")
        cursor.copy_expert("copy t from stdin (format text)", io.BytesIO(lines))
        cursor.execute("select * from t")
        return list(cursor.fetchall())


def test_texts_arrive_as_they_are(warehouse: Database) -> None:
    rows = [(n, text, text) for n, text in enumerate(TEXTS)]
    lines = copy_text(rows, [Form.PLAIN, Form.TEXT, Form.PADDED])
    padded = [text and text.rstrip(" ") for text in TEXTS]
    assert back(warehouse, lines, "n int, v text, c text") == [
        (n, text, stripped) for (n, text, _), stripped in zip(rows, padded, strict=True)
    ]


def test_values_arrive_as_they_are(warehouse: Database) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=ZONE)
    row = (2**62, 0.1, Decimal("1E-10"), True, b"\x00\\\xff", date(1, 1, 1), time(1, 2), moment)
    forms = [Form.PLAIN, Form.PLAIN, Form.DECIMAL, Form.BOOLEAN, Form.BYTES, Form.PLAIN]
    forms += [Form.PLAIN, Form.MOMENT]
    nothing = (None,) * len(row)
    types = "a int8, b float8, c numeric, d bool, e bytea, f date, g time, h timestamptz, i int"
    (first, second) = back(warehouse, copy_text([row, nothing], forms, ["7"]), types)
    assert (*first[:4], bytes(first[4]), *first[5:]) == (*row, 7)
    assert second == (*nothing, 7)


def test_the_character_zero_is_refused_where_it_is() -> None:
    rows = [("fine", None), ("fine", "a"), ("fine", "b\0c")]
    with pytest.raises(ZeroError) as caught:
        copy_text(rows, [Form.TEXT, Form.TEXT])
    assert (caught.value.row, caught.value.column) == (2, 1)


def test_documents_hold_what_sql_server_reads() -> None:
    moment = datetime(2026, 1, 1, tzinfo=ZONE)
    row = (1, Decimal("1E-10"), True, b"\x0a", moment, 'a "ü" ', None, date(2026, 1, 2))
    forms = [Form.PLAIN, Form.DECIMAL, Form.BOOLEAN, Form.BYTES, Form.MOMENT, Form.PADDED]
    forms += [Form.TEXT, Form.PLAIN]
    names = ["i", "d", "b", "x", "m", "c", "n", "t", "_batch_id"]
    (line,) = json_lines([row], forms, names, [7]).decode().splitlines()
    assert json.loads(line) == {
        **{"i": 1, "d": "0.0000000001", "b": True, "x": "0a", "m": "2026-01-01T03:30:00"},
        **{"c": 'a "ü"', "t": "2026-01-02", "_batch_id": 7},
    }
