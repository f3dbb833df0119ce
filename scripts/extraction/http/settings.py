"""What the YAML says of a source of `kind: http`, and of its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from extraction.errors import ExtractError

SOURCE_KEYS = {"requests_per_second", "concurrency", "timeout", "attempts", "max_response_bytes"}
TABLE_KEYS = {"first_load", "reread", "created_field"}

# What `data_type` of a declared column may be, and the JSON values that it takes. A text takes
# whatever comes, arrays and objects as JSON.
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (object,),
    "integer": (int,),
    "bigint": (int,),
    "numeric": (int, float),
    "boolean": (bool,),
}

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class HttpSettings:
    """How an item API is read; times in seconds.

    `first_load` is how many of the most recent items the first batch reads. Items that were younger
    than `reread` by their `created_field` (Unix seconds) when they were last read are read again.
    `timeout` is for a whole answer, `attempts` for one request.
    """

    first_load: int
    reread: int = 0
    created_field: str | None = None
    requests_per_second: float = 100.0
    concurrency: int = 8
    timeout: float = 10.0
    attempts: int = 5
    max_response_bytes: int = 1024 * 1024


def http_settings(where: str, source: Mapping[str, Any], table: Mapping[str, Any]) -> HttpSettings:
    """Reads and checks the settings; raises ExtractError that names the wrong one."""
    if table.get("mode") != "cursor":
        raise ExtractError(f"{where}: an http source is read by `mode: cursor`, by the item's id.")
    if "first_load" not in table:
        raise ExtractError(
            f"{where}: say how many of the most recent items the first run reads: "
            "`first_load: 10000`."
        )
    if ("reread" in table) != ("created_field" in table):
        raise ExtractError(f"{where}: `reread` and `created_field` go together.")
    settings: dict[str, Any] = {
        "first_load": _number(where, "first_load", table["first_load"], int),
        "created_field": table.get("created_field"),
        "reread": _seconds(where, "reread", table["reread"]) if "reread" in table else 0,
    }
    for key in SOURCE_KEYS & source.keys():
        kind = float if key in {"requests_per_second", "timeout"} else int
        settings[key] = _number(where, key, source[key], kind)
    return HttpSettings(**settings)


def declared_types(where: str, columns: Mapping[str, Any]) -> dict[str, str]:
    """The `data_type` of each declared column; raises ExtractError if one has none, or another."""
    for name, type_ in columns.items():
        if type_ not in JSON_TYPES:
            raise ExtractError(
                f"{where}: column {name} of an http source needs a `data_type`, one of "
                f"{', '.join(JSON_TYPES)}; it has {type_ or 'none'}."
            )
    return dict(columns)


def _number(where: str, key: str, value: object, kind: type[int] | type[float]) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = kind(value)
        if number > 0 and number == value:
            return number
    what = "a whole number" if kind is int else "a number"
    raise ExtractError(f"{where}: `{key}: {value}` must be {what} above zero.")


def _seconds(where: str, key: str, value: object) -> int:
    found = re.fullmatch(r"(\d+) (second|minute|hour|day)s?", str(value))
    if not found:
        raise ExtractError(f"{where}: `{key}: {value}` is no time such as `2 days` or `36 hours`.")
    return int(found[1]) * _UNITS[found[2]]
