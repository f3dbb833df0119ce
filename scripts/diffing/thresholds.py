"""What a model may lose, gain and change before a publish stops: `config.meta.diff` in its YAML."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffing.model_diff import ModelDiff

ALL = "*"  # of min_match_pct: every column that has no limit of its own


class ThresholdError(ValueError):
    """`config.meta.diff` of a model is not understood; the message says where and what to write."""


@dataclass(frozen=True)
class Thresholds:
    """Limits in percent; None or empty is no limit.

    Of `max_removed_pct` and `max_added_pct` the base is live's rows, of `max_changed_pct` and
    `min_match_pct` (by column, `ALL` for the rest) the rows compared, of `max_total_change_pct`
    (by column) the total in live.
    """

    max_removed_pct: float | None = None
    max_added_pct: float | None = None
    max_changed_pct: float | None = None
    min_match_pct: Mapping[str, float] = field(default_factory=dict)
    max_total_change_pct: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, model: str, stated: Any, columns: Sequence[str]) -> Thresholds:  # noqa: ANN401
        """Reads `config.meta.diff`; `columns` are those of the YAML, to find a misspelt one.

        Raises ThresholdError.
        """
        if stated is None:
            return cls()
        where = f"{model}: config.meta.diff"
        if not isinstance(stated, Mapping):
            raise ThresholdError(f"{where} is no mapping: write `diff: {{max_removed_pct: 1}}`.")
        known = [one.name for one in fields(cls)]
        parsed: dict[str, Any] = {}
        for name, value in stated.items():
            if name not in known:
                raise ThresholdError(f"{where}.{name} is unknown{_near(str(name), known)}")
            by_column = name in ("min_match_pct", "max_total_change_pct")
            if name == "min_match_pct" and not isinstance(value, Mapping):
                value = {ALL: value}  # noqa: PLW2901
            if not by_column:
                parsed[name] = _number(f"{where}.{name}", value, name)
            elif isinstance(value, Mapping):
                for column in value:
                    if column != ALL and columns and column not in columns:
                        near = _near(str(column), columns)
                        raise ThresholdError(f"{where}.{name}.{column} is no column{near}")
                parsed[name] = {
                    str(column): _number(f"{where}.{name}.{column}", one, name)
                    for column, one in value.items()
                }
            else:
                raise ThresholdError(f"{where}.{name} is by column: write `{{amount: 1}}`.")
        return cls(**parsed)


def breaches(diff: ModelDiff) -> list[str]:
    """The limits that a model is beyond, a sentence each: model, measure, limit, actual.

    A limit that can't be checked counts as one; a model that is new or removed has none.
    """
    return list(_breaches(diff)) if diff.status in ("changed", "unchanged") else []


def _breaches(diff: ModelDiff) -> Iterator[str]:
    limits = diff.thresholds
    by_rows = "" if diff.by_key else " (by the number of rows, for want of a key)"
    for measure, limit, actual, what in (
        ("max_removed_pct", limits.max_removed_pct, diff.removed_pct, "of live's rows are gone"),
        ("max_added_pct", limits.max_added_pct, diff.added_pct, "of live's rows came on top"),
    ):
        if limit is not None and actual is not None and actual > limit:
            says = f"{percent(actual, limit)} {what}{by_rows}"
            yield f"{diff.name}: {measure} is {number(limit)} %, actual: {says}."
    if (limit := limits.max_changed_pct) is not None:
        if why := _why_unchecked(diff) or _retyped(diff):
            yield f"{diff.name}: max_changed_pct can't be checked: {why}."
        elif (actual := diff.changed_pct) is not None and actual > limit:
            says = f"{percent(actual, limit)} of the rows in both changed"
            yield f"{diff.name}: max_changed_pct is {number(limit)} %, actual: {says}."
    yield from _matches(diff)
    yield from _totals(diff)


def _matches(diff: ModelDiff) -> Iterator[str]:
    limits = diff.thresholds.min_match_pct
    if not limits:
        return
    if why := _why_unchecked(diff):
        yield f"{diff.name}: min_match_pct can't be checked: {why}."
        return
    found = {match.column: match for match in diff.matches}
    lost = [one.column for one in diff.removed]
    lost += [one.column for one in diff.retyped if not one.compared]
    of_the_rest = dict.fromkeys(lost, limits[ALL]) if ALL in limits else {}
    for column, limit in {**of_the_rest, **limits}.items():
        if column != ALL and column not in found and not diff.is_settled(column):
            yield (
                f"{diff.name}: min_match_pct of {column} is {number(limit)} %, but the column "
                "can't be compared: it is gone, of another type or part of the key."
            )
    for match in diff.matches:
        wanted = limits.get(match.column, limits.get(ALL))
        if wanted is not None and match.pct is not None and match.pct < wanted:
            yield (
                f"{diff.name}: min_match_pct of {match.column} is {number(wanted)} %, actual: "
                f"{percent(match.pct, wanted)} of the rows in both match."
            )


def _why_unchecked(diff: ModelDiff) -> str | None:
    if diff.rows is None:
        return diff.why_no_key
    if diff.rows.common and not diff.rows.compared:
        return "no row has a key of its own"
    return None


def _retyped(diff: ModelDiff) -> str | None:
    names = ", ".join(one.column for one in diff.retyped if not one.compared)
    return f"values of {names} can't be compared, for they are of another type" if names else None


def _totals(diff: ModelDiff) -> Iterator[str]:
    found = {total.column: total for total in diff.totals}
    for column, limit in diff.thresholds.max_total_change_pct.items():
        total = found.get(column)
        if total is None:
            if not diff.is_settled(column):
                yield (
                    f"{diff.name}: max_total_change_pct of {column} is {number(limit)} %, but "
                    "there is no total: it is gone, no number, personal or a key."
                )
        elif total.change_pct is None or total.change_pct > limit:
            actual = "no number" if total.change_pct is None else percent(total.change_pct, limit)
            yield (
                f"{diff.name}: max_total_change_pct of {column} is {number(limit)} %, actual: "
                f"{actual} (from {total.live} to {total.next})."
            )


def number(value: float) -> str:
    return f"{value:.10g}"


def percent(value: float, limit: float | None = None) -> str:
    """With two digits, or as many as it takes to tell it from the limit, from 0 and from 100."""
    apart = [bound for bound in (limit, 0.0, 100.0) if bound is not None and bound != value]
    for digits in (2, 4, 6, 9):
        text = f"{value:,.{digits}f}"
        if all(text != f"{bound:,.{digits}f}" for bound in apart):
            break
    return f"{text.rstrip('0').rstrip('.')} %"


def _number(where: str, value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ThresholdError(f"{where} is {value!r}: write a number of percent, such as 1 or 0.5.")
    if value < 0 or (value > 100 and name in ("min_match_pct", "max_removed_pct")):
        raise ThresholdError(f"{where} is {value}, which no share of rows can be.")
    return float(value)


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f": did you mean {near[0]}?" if near else f"; known: {', '.join(known)}."
