"""How a SQL Server column is selected, and how it lands in Postgres or in SQL Server.

Values travel as the driver gives them: decimals, floats and dates as such, never through a text
that would round them. What no driver hands out (`hierarchyid`, `geography`, `sql_variant`) becomes
text on the server.

Moments keep microseconds: the seventh digit of `datetime2(7)`, `datetimeoffset(7)` and `time(7)` is
cut, never rounded up, so that no moment moves into the next day. Of a `datetimeoffset` lands the
moment, in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from common.sqlserver import identifier
from extraction.sqlserver.landing_types import BYTES, MOMENT, TEXT, described


class Form(Enum):
    """How a value is written into a stream."""

    PLAIN = "plain"
    TEXT = "text"
    PADDED = "padded"  # text whose blanks at the end are none
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    BYTES = "bytes"
    MOMENT = "moment"  # a datetime, with or without zone


@dataclass(frozen=True)
class SourceType:
    """A column's type, alias types resolved; `length` in bytes, -1 for max."""

    name: str
    length: int
    precision: int
    scale: int
    is_assembly: bool = False
    collation: str | None = None

    @property
    def display(self) -> str:
        return described(self.name, self.length, self.precision, self.scale)


@dataclass(frozen=True)
class _Kind:
    """How the columns of some types land.

    `select` is the expression, of the quoted name; `text` the style in which convert() writes all
    of the value, None if it needs none.
    """

    form: Form
    postgres: str
    sqlserver: str
    select: str = "{}"
    style: int | None = None


_VARIANT = (
    "case when {0} is null then null "
    "when convert(nvarchar(128), sql_variant_property({0}, 'BaseType')) in ('binary', 'varbinary') "
    "then convert(nvarchar(max), convert(varbinary(8000), {0}), 1) "
    "when convert(nvarchar(128), sql_variant_property({0}, 'BaseType')) in ('float', 'real') "
    "then convert(nvarchar(4000), convert(float, {0}), 3) "
    "when convert(nvarchar(128), sql_variant_property({0}, 'BaseType')) in ('money', 'smallmoney') "
    "then convert(nvarchar(4000), convert(money, {0}), 2) "
    "else convert(nvarchar(max), {0}, 121) end"
)
_DECIMAL = _Kind(Form.DECIMAL, "numeric", "")
_LOCAL_MOMENT = _Kind(Form.MOMENT, "timestamp", MOMENT, style=121)
_LONG_TEXT = _Kind(Form.TEXT, "text", TEXT, "convert(nvarchar(max), {})")
_TO_STRING = _Kind(Form.TEXT, "text", TEXT, "{}.ToString()")

_KINDS = {
    "bit": _Kind(Form.BOOLEAN, "bool", "bit"),
    "tinyint": _Kind(Form.PLAIN, "int2", "smallint"),
    "smallint": _Kind(Form.PLAIN, "int2", "smallint"),
    "int": _Kind(Form.PLAIN, "int4", "int"),
    "bigint": _Kind(Form.PLAIN, "int8", "bigint"),
    "real": _Kind(Form.PLAIN, "float4", "real", style=3),
    "float": _Kind(Form.PLAIN, "float8", "float", style=3),
    "decimal": _DECIMAL,
    "numeric": _DECIMAL,
    "money": _Kind(Form.DECIMAL, "numeric", "decimal(19,4)", style=2),
    "smallmoney": _Kind(Form.DECIMAL, "numeric", "decimal(10,4)", style=2),
    "date": _Kind(Form.PLAIN, "date", "date", style=23),
    "time": _Kind(Form.PLAIN, "time", "time(6)", style=121),
    "datetime": _LOCAL_MOMENT,
    "smalldatetime": _LOCAL_MOMENT,
    "datetime2": _LOCAL_MOMENT,
    "datetimeoffset": _Kind(Form.MOMENT, "timestamptz", MOMENT, style=121),
    "char": _Kind(Form.PADDED, "text", TEXT),
    "nchar": _Kind(Form.PADDED, "text", TEXT),
    "varchar": _Kind(Form.TEXT, "text", TEXT),
    "nvarchar": _Kind(Form.TEXT, "text", TEXT),
    "text": _LONG_TEXT,
    "ntext": _LONG_TEXT,
    "xml": _LONG_TEXT,
    "json": _LONG_TEXT,
    "vector": _LONG_TEXT,
    "sql_variant": _Kind(Form.TEXT, "text", TEXT, _VARIANT),
    "uniqueidentifier": _Kind(Form.PLAIN, "uuid", "uniqueidentifier"),
    "binary": _Kind(Form.BYTES, "bytea", BYTES, style=1),
    "varbinary": _Kind(Form.BYTES, "bytea", BYTES, style=1),
    "image": _Kind(Form.BYTES, "bytea", BYTES, "convert(varbinary(max), {})", style=1),
    # A rowversion is a counter: as a number it has its order in every engine.
    "timestamp": _Kind(Form.PLAIN, "int8", "bigint", "convert(bigint, {})"),
}

# Types of a cursor whose lookback is a duration.
IN_TIME = {"date", "datetime", "smalldatetime", "datetime2", "datetimeoffset"}
INTEGERS = {"tinyint", "smallint", "int", "bigint"}
ROWVERSION = "timestamp"


def _kind(type_: SourceType) -> _Kind:
    return _TO_STRING if type_.is_assembly else _KINDS.get(type_.name, _LONG_TEXT)


def form(type_: SourceType) -> Form:
    return _kind(type_).form


def landing_type(type_: SourceType, warehouse: str) -> str:
    """The landing type in a warehouse of this kind: postgres or sqlserver."""
    kind = _kind(type_)
    if warehouse == "postgres":
        return kind.postgres
    return kind.sqlserver or f"decimal({type_.precision},{type_.scale})"


def expression(type_: SourceType, column: str) -> str:
    """What is selected of a column."""
    return _kind(type_).select.format(identifier(column))


def as_text(type_: SourceType, column: str) -> str:
    """All of a column's value as text, for the watermark and for the hash of a row."""
    kind = _kind(type_)
    style = "" if kind.style is None else f", {kind.style}"
    return f"convert(nvarchar(max), {expression(type_, column)}{style})"


def of_text(type_: SourceType, value: str) -> str:
    """The SQL that makes a value of this type from text, given as SQL itself."""
    if type_.name == ROWVERSION:
        return f"convert(binary(8), convert(bigint, {value}))"
    if type_.name in ("datetime", "smalldatetime"):  # of a text they take three digits at most
        value = f"convert(datetime2(7), {value}, 121)"
        return f"convert({type_.name}, {value})"
    style = _kind(type_).style
    return f"convert({type_.display}, {value}{'' if style is None else f', {style}'})"
