"""The types of landing in SQL Server: how a document's value becomes one, and what holds what.

Text has no limit, as in Postgres: `varchar(max)`, which holds all of Unicode in a database whose
collation is UTF-8. JSON and arrays land as JSON text, `nvarchar(max)`, which openjson() reads as
it is. A moment is a `datetime2(6)` in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from common.sqlserver import identifier

MOMENT = "datetime2(6)"
TEXT, JSON = "varchar(max)", "nvarchar(max)"
BYTES = "varbinary(max)"

# The digits behind the point of a number whose source does not limit them, and in all.
SCALE, PRECISION = 12, 38

# How the `data_type` of a column lands that the YAML alone tells the type of.
DECLARED = {
    "string": TEXT,
    "integer": "int",
    "bigint": "bigint",
    "numeric": f"decimal({PRECISION},{SCALE})",
    "boolean": "bit",
}

# Each type and those that hold all of its values; decimals are compared by their digits.
_WIDER = {
    "smallint": {"int", "bigint", "real", "float"},
    "int": {"bigint", "float"},
    "real": {"float"},
    "date": {MOMENT},
}
_DIGITS = {"smallint": 5, "int": 10, "bigint": 19}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")

# What openjson() makes of a value by itself, with an error for one that does not fit.
_TYPED = {"bit", *_DIGITS, "real", "float", "date", "uniqueidentifier"}
_TEXTS = ("char", "varchar", "nchar", "nvarchar")
# The style in which convert() writes a value so that nothing of it is lost.
_STYLES = {
    **{"real": 3, "float": 3, "date": 23, "time": 121, "datetime2": 126, "datetime": 126},
    **{"datetimeoffset": 126, "varbinary": 2, "binary": 2},
}


def base(type_: str) -> str:
    """The type's name without its size."""
    return type_.partition("(")[0]


def is_text(type_: str) -> bool:
    return base(type_) in _TEXTS


def described(name: str, max_length: int, precision: int, scale: int) -> str:
    """A type as it is written, from how `sys.columns` describes it."""
    if name in ("decimal", "numeric"):
        return f"decimal({precision},{scale})"
    if name in ("datetime2", "datetimeoffset", "time"):
        return f"{name}({scale})"
    if name in (*_TEXTS, "binary", "varbinary"):
        length = max_length // 2 if name.startswith("n") else max_length
        return f"{name}({'max' if max_length < 0 else length})"
    return name


def widens(old: str, new: str) -> bool:
    """Whether every value of the landing type `old` is a value of `new`.

    A decimal of more digits behind the point has fewer before it; should one not fit, changing the
    column fails, and nothing is lost.
    """
    if new in _WIDER.get(old, set()):
        return True
    is_decimal = _DECIMAL.fullmatch(new)
    if not is_decimal:
        return False
    precision, scale = map(int, is_decimal.groups())
    if old in _DIGITS:
        return precision - scale >= _DIGITS[old]
    was_decimal = _DECIMAL.fullmatch(old)
    return bool(was_decimal) and int(was_decimal[2]) <= scale  # type: ignore[index]


def openjson_column(name: str, type_: str) -> str:
    """The column of `openjson(…) with (…)` that takes this name's value out of a document."""
    is_typed = type_ in _TYPED or base(type_) in ("decimal", "time", "datetime2")
    path = '$."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    path = "'" + path.replace("'", "''") + "'"
    return f"{identifier(name)} {type_ if is_typed else JSON} {path}"


def openjson_value(name: str, type_: str) -> str:
    """What becomes of that column. Text is left to the table's column, which refuses to cut it."""
    quoted = identifier(name)
    return f"convert({type_}, {quoted}, 2)" if base(type_) in ("varbinary", "binary") else quoted


def parameter(type_: str) -> str:
    """What becomes of a value that is sent as a text of its own."""
    if is_text(type_):
        return "?"
    style = ", 2" if base(type_) in ("varbinary", "binary") else ""
    return f"convert({type_}, ?{style})"


def definition(name: str, type_: str, *, is_temporary: bool = False) -> str:
    """A column of a new table. Temporary tables have the collation of their own database."""
    collation = " collate database_default" if is_temporary and is_text(type_) else ""
    return f"{identifier(name)} {type_}{collation}"


def as_text(expression: str, type_: str) -> str:
    """The value as text: what its key is to a source, and what is compared of it."""
    style = _STYLES.get(base(type_))
    return f"convert(varchar(max), {expression}{'' if style is None else f', {style}'})"


def row_hash(alias: str, columns: Mapping[str, str]) -> str:
    """A bigint that differs, but for one case in 10^19, when any value of two rows differs.

    SQL Server's own comparison would not do: to it, texts are equal that differ in the blanks at
    their end.
    """
    values = []
    for name, type_ in columns.items():
        value = f"{alias}.{identifier(name)}"
        values.append(
            f"case when {value} is null then '~' "
            f"else concat(datalength({value}), ':', {as_text(value, type_)}) end"
        )
    digest = f"hashbytes('sha2_256', {_concatenated(values)})"
    return f"convert(bigint, substring({digest}, 1, 8))"


def _concatenated(values: Sequence[str], at_once: int = 200) -> str:
    """concat() takes at most 254 values, and cuts them at 8000 bytes unless one may be longer."""
    groups = [values[start : start + at_once] for start in range(0, len(values), at_once)]
    joined = [f"concat(convert(varchar(max), ''), {', '.join(group)})" for group in groups]
    return joined[0] if len(joined) == 1 else f"concat({', '.join(joined)})"


def same_key(left: str, right: str, keys: Mapping[str, str]) -> str:
    """The condition that two rows have the same key, with regard to blanks at the end of a text."""
    return " and ".join(
        f"{left_value} = {right_value}"
        for (left_value, right_value) in zip(
            key_values(left, keys), key_values(right, keys), strict=True
        )
    )


def key_values(alias: str, keys: Mapping[str, str]) -> list[str]:
    """What tells keys apart."""
    values = []
    for name, type_ in keys.items():
        value = f"{alias}.{identifier(name)}"
        values += [value, f"datalength({value})"] if is_text(type_) else [value]
    return values


def listed(names: Iterable[str], alias: str = "") -> str:
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + identifier(name) for name in names)
