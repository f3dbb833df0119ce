"""How a Postgres column lands in Postgres.

The binary stream is passed through untouched, so a column must have the same wire format at both
ends. That holds for the built-in types below, in every version; whatever else (types of extensions,
enums, composites) is cast to text in the select. Lengths and scales are not kept: an unlimited type
holds the same values, loads faster, and a limit that grows at the source is no drift.
"""

from __future__ import annotations

from dataclasses import dataclass

_SAME = {
    *("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "bytea", "uuid"),
    *("date", "time", "timetz", "timestamp", "timestamptz", "interval", "json", "jsonb"),
    *("inet", "cidr", "macaddr", "macaddr8", "tsvector", "tsquery", "varbit"),
    *("point", "line", "lseg", "box", "path", "polygon", "circle"),
    *("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"),
}
# Landing type by source type, where a cast in the select makes them the same.
_CAST = {"varchar": "text", "bpchar": "text", "bit": "varbit", "oid": "int8", "money": "numeric"}

# How the `data_type` of a column lands that the YAML alone tells the type of.
DECLARED = {
    "string": "text",
    "integer": "int4",
    "bigint": "int8",
    "numeric": "numeric",
    "boolean": "bool",
}

# Each type and those that hold all of its values.
_WIDER = {
    "int2": {"int4", "int8", "numeric", "float4", "float8"},
    "int4": {"int8", "numeric", "float8"},
    "int8": {"numeric"},
    "float4": {"float8"},
    "date": {"timestamp"},
}


@dataclass(frozen=True)
class SourceType:
    """A column's type with domains resolved: `name` of the type, or of the array's elements.

    `precision` and `scale` are those of a numeric that limits its digits.
    """

    name: str
    is_builtin: bool
    is_array: bool
    is_domain: bool
    precision: int | None = None
    scale: int | None = None


def digits(modifier: int) -> tuple[int | None, int | None]:
    """Precision and scale in a numeric's type modifier, -1 if it limits nothing."""
    if modifier < 4:
        return None, None
    scale = (modifier - 4) & 0x7FF
    return (modifier - 4) >> 16, (scale ^ 1024) - 1024  # 11 bits, and below zero since 15


def landing_type(type_: SourceType) -> str:
    name = type_.name if type_.is_builtin else ""
    element = name if name in _SAME else _CAST.get(name, "text")
    return f"{element}[]" if type_.is_array else element


def needs_cast(type_: SourceType) -> bool:
    return type_.is_domain or not (type_.is_builtin and type_.name in _SAME)


def widens(old: str, new: str) -> bool:
    """Whether every value of the landing type `old` is a value of `new`."""
    if old.endswith("[]") != new.endswith("[]"):
        return False
    return new.removesuffix("[]") in _WIDER.get(old.removesuffix("[]"), set())
