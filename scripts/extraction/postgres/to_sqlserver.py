"""How a Postgres column lands in SQL Server: its type there, and its value in a JSON document.

What SQL Server has no value for stops the batch and names the column: NaN and the infinities, more
digits than its decimals have, years before 1 and after 9999, midnight at 24:00.
"""

from __future__ import annotations

from common.postgres import literal
from extraction.postgres.types import SourceType
from extraction.sqlserver.landing_types import (
    BYTES,
    JSON,
    MOMENT,
    PRECISION,
    SCALE,
    TEXT,
)

_SAME = {
    **{"bool": "bit", "int2": "smallint", "int4": "int", "int8": "bigint", "oid": "bigint"},
    "uuid": "uniqueidentifier",
}
_NO_NUMBER = "{}::text in ('NaN', 'Infinity', '-Infinity')"
_OUTSIDE = "{{0}} < {0} '0001-01-01' or {{0}} >= {0} '10000-01-01'"
# Landing type by source type, and when a value has no place in it.
_GUARDED = {
    "float4": ("real", _NO_NUMBER),
    "float8": ("float", _NO_NUMBER),
    "date": ("date", _OUTSIDE.format("date")),
    "timestamp": (MOMENT, _OUTSIDE.format("timestamp")),
    "timestamptz": (MOMENT, _OUTSIDE.format("timestamp")),
    "time": ("time(6)", "{} = '24:00'"),
}
_TEXTS = {
    "bytea": (BYTES, "encode({}, 'hex')"),
    "json": (JSON, "{}::text"),
    "jsonb": (JSON, "{}::text"),
}


def landing(type_: SourceType, column: str, quoted: str) -> tuple[str, str]:
    """The landing type of a column, and the expression whose to_json() holds its value."""
    if type_.is_array:
        return JSON, f"to_json({quoted})::text"
    name = type_.name if type_.is_builtin else ""
    if name in _SAME:
        return _SAME[name], quoted
    if name in ("numeric", "money"):
        return _decimal(type_, column, f"{quoted}::numeric" if name == "money" else quoted)
    if name in _GUARDED:
        landing_type, bad = _GUARDED[name]
        is_zoned = name == "timestamptz"
        value = f"({quoted} at time zone 'UTC')" if is_zoned else quoted
        same = "timestamp" if is_zoned else name
        return landing_type, _guarded(bad.format(value), column, value, same)
    landing_type, expression = _TEXTS.get(name, (TEXT, "{}::text"))
    return landing_type, expression.format(quoted)


def _decimal(type_: SourceType, column: str, quoted: str) -> tuple[str, str]:
    scale = SCALE if type_.scale is None else max(0, type_.scale)
    if scale > PRECISION:
        return TEXT, f"{quoted}::text"
    bad = _NO_NUMBER.format(quoted)
    if type_.scale is None:
        bad += f" or {quoted} <> round({quoted}, {scale})"
    if type_.precision is None or type_.precision - scale > PRECISION - scale:
        bad += f" or abs({quoted}) >= 1e{PRECISION - scale}"
    return f"decimal({PRECISION},{scale})", _guarded(bad, column, quoted, "numeric")


def _guarded(bad: str, column: str, value: str, type_: str) -> str:
    """The value, or an error in Postgres' own words that ends in ours: a cast that must fail."""
    why = literal(
        f" in column {column} has no place in SQL Server: mend the row, or leave the column out "
        "with `exclude`"
    )
    return f"case when {bad} then ({value}::text || {why})::{type_} else {value} end"
