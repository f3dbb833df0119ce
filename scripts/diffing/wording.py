"""The sentences that all renderings share; names come in through `named`, which may escape them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from diffing.compared import Relation
from diffing.model_diff import ModelDiff, Shared, Total
from diffing.thresholds import breaches, percent

Named = Callable[[str], str]

PLACES = {"changed": "changed rows", "live": "rows only in live", "next": "rows only in next"}
_SHOWN = 40  # characters of a value
_LISTED = 12  # columns in one line


def verdict(diffs: Sequence[ModelDiff]) -> str:
    """One line: what a reader wants to know first."""
    beyond = sum(1 for diff in diffs if breaches(diff))
    differing = sum(1 for diff in diffs if diff.status != "unchanged")
    of_all = f"{differing} of {plural(len(diffs), 'model')}"
    if beyond:
        limits = "its limits" if beyond == 1 else "their limits"
        return (
            f"BEYOND LIMITS: {plural(beyond, 'model')} beyond {limits}; {of_all} differ from live."
        )
    if differing:
        return f"WITHIN LIMITS: {of_all} differ{'s' if differing == 1 else ''} from live."
    return f"NO DIFFERENCE: {plural(len(diffs), 'model')} compared with live."


def ordered(diffs: Sequence[ModelDiff]) -> list[ModelDiff]:
    """Those beyond their limits first, the unchanged ones last, else by name."""
    return sorted(diffs, key=lambda d: (not breaches(d), d.status == "unchanged", d.name))


def facts(diff: ModelDiff, named: Named) -> Iterator[tuple[str, str]]:
    """What there is to say of a model, each with the heading that it belongs to."""
    if diff.status in ("new", "removed"):
        count = diff.rows_next if diff.status == "new" else diff.rows_live
        yield "rows", f"{diff.status}: {plural(count or 0, 'row')}"
        return
    rows_live, rows_next = diff.rows_live or 0, diff.rows_next or 0
    change = f"{rows_next - rows_live:+,}" if rows_next != rows_live else "as many"
    yield "rows", f"{rows_live:,} in live, {rows_next:,} in next ({change})"
    if diff.rows:
        rows = diff.rows
        yield (
            "by key",
            f"{rows.only_live:,} only in live, {rows.only_next:,} only in next, {rows.common:,} in "
            f"both, of which {rows.changed:,} changed{_in_brackets(diff.changed_pct)}",
        )
    else:
        yield "by key", f"not compared: {named(diff.why_no_key or '')}"
    yield from _columns(diff, named)
    yield from _matches(diff, named)
    for total in diff.totals:
        if total.is_changed:
            yield "total", f"{named(total.column)}: {_change(total)}"
    for shared in diff.shared:
        yield "in common", _shared(shared, named)
    for place, what in PLACES.items():
        if keys := [one.key for one in diff.examples if one.place == place]:
            shown = "; ".join(named(_cut(", ".join(key))) for key in keys)
            yield "for example", f"{what}: {shown}"
    for note in diff.notes:
        yield "note", note


def plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def where(relation: Relation | None, named: Named) -> str:
    return named(".".join(relation)) if relation else "nowhere"


def _columns(diff: ModelDiff, named: Named) -> Iterator[tuple[str, str]]:
    for sign, columns in (("added", diff.added), ("removed", diff.removed)):
        if columns:
            listed = ", ".join(f"{named(one.column)} {named(one.type)}" for one in columns)
            yield sign, listed
    for one in diff.retyped:
        note = "" if one.compared else ", values not compared"
        yield "retyped", f"{named(one.column)}: from {named(one.live)} to {named(one.next)}{note}"


def _matches(diff: ModelDiff, named: Named) -> Iterator[tuple[str, str]]:
    differing = sorted(
        (one for one in diff.matches if one.differing), key=lambda one: -one.differing
    )
    if not differing:
        return
    listed = ", ".join(f"{named(m.column)} {percent(m.pct or 0.0)}" for m in differing[:_LISTED])
    more = len(differing) - _LISTED
    same = len(diff.matches) - len(differing)
    tail = f", and {plural(more, 'column')} more" if more > 0 else ""
    yield "match", f"{listed}{tail}" + (f"; 100 % in {plural(same, 'column')}" if same else "")


def _shared(shared: Shared, named: Named) -> str:
    number = shared.number_of_values
    what = "one value" if number == 1 else f"{number} values"
    says = (
        f"{percent(shared.rows_pct)} of the {PLACES[shared.place]} share {what} of "
        f"{named(shared.column)}, as {percent(shared.table_pct)} of the table do"
    )
    if shared.values is None:
        return says
    return f"{says}: {', '.join('null' if v is None else named(_cut(v)) for v in shared.values)}"


def _change(total: Total) -> str:
    pct = total.change_pct
    change = ""
    if pct is not None:
        sign = "+" if (total.next or 0) > (total.live or 0) else "-"
        change = f" ({sign}{percent(pct)})"
    return f"from {_amount(total.live)} to {_amount(total.next)}{change}"


def _amount(value: Decimal | None) -> str:
    if value is None:
        return "nothing"
    if not value.is_finite():
        return str(value)
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _in_brackets(pct: float | None) -> str:
    return "" if pct is None else f" ({percent(pct)})"


def _cut(value: str) -> str:
    return value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
