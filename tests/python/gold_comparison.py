"""What differs between the same tables in two databases, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

Row = tuple[Any, ...]

# How many keys of a table, and values of a column, are told.
EXAMPLES = 3


def normalised(value: Any) -> Any:  # noqa: ANN401
    """A value as both engines' drivers would give it: numbers by value, moments in naive UTC."""
    if isinstance(value, Decimal):
        return value.normalize() + 0  # no exponent of its own, no minus before zero
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    return value


def differences(
    columns: Sequence[str], key: Sequence[str], ours: Sequence[Row], theirs: Sequence[Row]
) -> list[str]:
    """What differs between two tables with these columns, row by row; empty if nothing does.

    A row is found by its key, which neither may have twice. A boolean is no number: a column that
    is 1 here and true there differs.
    """
    places = [columns.index(column) for column in key]
    left, twice_left = _by_key(places, ours)
    right, twice_right = _by_key(places, theirs)
    found = [f"key {_shown(double)} is there twice" for double in [*twice_left, *twice_right]]
    for name, missing in (
        ("second", left.keys() - right.keys()),
        ("first", right.keys() - left.keys()),
    ):
        if missing:
            found.append(f"{len(missing)} keys are not in the {name}: {_examples(missing)}")
    for place, column in enumerate(columns):
        differing = {
            found_key: (left[found_key][place], right[found_key][place])
            for found_key in left.keys() & right.keys()
            if not _is_same(left[found_key][place], right[found_key][place])
        }
        if differing:
            told = "; ".join(
                f"{_shown(found_key)}: {one!r} and {other!r}"
                for found_key, (one, other) in _first(differing)
            )
            found.append(f"{column} differs in {len(differing)} of {len(left)} rows: {told}")
    return found


def _is_same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _by_key(places: Sequence[int], rows: Sequence[Row]) -> tuple[dict[Row, Row], list[Row]]:
    by_key: dict[Row, Row] = {}
    twice = []
    for row in rows:
        values = tuple(normalised(value) for value in row)
        key = tuple(values[place] for place in places)
        if key in by_key:
            twice.append(key)
        by_key[key] = values
    return by_key, twice


def _first(found: Mapping[Row, Any]) -> list[tuple[Row, Any]]:
    return sorted(found.items(), key=lambda item: _shown(item[0]))[:EXAMPLES]


def _examples(keys: set[Row]) -> str:
    shown = sorted(map(_shown, keys))
    return ", ".join(shown[:EXAMPLES]) + (", …" if len(shown) > EXAMPLES else "")


def _shown(key: Row) -> str:
    texts = [str(value) if isinstance(value, date) else repr(value) for value in key]
    return f"({', '.join(texts)})"
