"""Rows of the driver as lines: for COPY's text format, or JSON documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timezone
from typing import Any

from extraction.sqlserver.types import Form

NULL = "\\N"

_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))

# What a row is to the driver, and how a column of many rows is written.
Row = Sequence[Any]


class ZeroError(ValueError):
    """A text holds the character zero, which Postgres' text can't; `row` and `column` count from 0.

    They are of the rows that were given.
    """

    def __init__(self, row: int, column: int) -> None:
        super().__init__("the character zero")
        self.row, self.column = row, column


def copy_text(rows: Sequence[Row], forms: Sequence[Form], constants: Sequence[str] = ()) -> bytes:
    """The rows as COPY's text format has them; raises ZeroError.

    Works by columns, so that almost all of it is done in C.
    """
    columns: list[Iterable[str]] = []
    for n, (values, form) in enumerate(zip(zip(*rows, strict=True), forms, strict=True)):
        if form in (Form.TEXT, Form.PADDED):
            columns.append(_texts(values, n, is_padded=form is Form.PADDED))
        else:
            write = _COPY[form]
            columns.append([NULL if value is None else write(value) for value in values])
    columns += [[constant] * len(rows) for constant in constants]
    return "".join(["\t".join(line) + "\n" for line in zip(*columns, strict=True)]).encode()


def json_lines(
    rows: Sequence[Row], forms: Sequence[Form], names: Sequence[str], constants: Row = ()
) -> bytes:
    """The rows as one document a line; a null has no place in it."""
    columns: list[Iterable[Any]] = []
    for values, form in zip(zip(*rows, strict=True), forms, strict=True):
        write = _JSON.get(form)
        columns.append(
            [None if v is None else write(v) for v in values] if write is not None else values
        )
    columns += [[constant] * len(rows) for constant in constants]
    documents = [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns, strict=True)
    ]
    return "".join(
        [json.dumps(d, ensure_ascii=False, separators=(",", ":")) + "\n" for d in documents]
    ).encode()


def _texts(values: Sequence[str | None], column: int, *, is_padded: bool) -> list[str]:
    # The character zero is in no text that Postgres takes: it parts the values of a whole column,
    # and one more of them than there should be is the one to complain of.
    joined = "\0".join(["" if value is None else value for value in values])
    if joined.count("\0") != len(values) - 1:
        row = next(n for n, value in enumerate(values) if value is not None and "\0" in value)
        raise ZeroError(row, column)
    if _SPECIAL.search(joined):
        for plain, escaped in _ESCAPES:
            joined = joined.replace(plain, escaped)
    cells = joined.split("\0")
    if is_padded:
        cells = [cell.rstrip(" ") for cell in cells]
    if None in values:
        cells = [NULL if v is None else cell for v, cell in zip(values, cells, strict=True)]
    return cells


def _decimal(value: Any) -> str:  # noqa: ANN401  # Decimal, by far the most of them
    return f"{value:f}"


def _json_plain(value: Any) -> Any:  # noqa: ANN401
    return value.isoformat() if isinstance(value, date | time) else value


def _in_utc(value: datetime) -> str:
    if value.tzinfo:
        value = value.astimezone(timezone.utc).replace(tzinfo=None)
    return value.isoformat()


_COPY: dict[Form, Callable[[Any], str]] = {
    Form.PLAIN: str,
    Form.DECIMAL: _decimal,
    Form.MOMENT: str,
    Form.BOOLEAN: lambda value: "t" if value else "f",
    Form.BYTES: lambda value: "\\\\x" + value.hex(),
}
_JSON: dict[Form, Callable[[Any], Any]] = {
    Form.PLAIN: _json_plain,
    Form.DECIMAL: _decimal,
    Form.MOMENT: _in_utc,
    Form.PADDED: lambda value: value.rstrip(" "),
    Form.BYTES: lambda value: value.hex(),
}
