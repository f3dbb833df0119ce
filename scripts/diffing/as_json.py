"""Diffs as JSON. docs/diff.md lists the keys; a key is added, never renamed, within a `format`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from diffing.compared import Relation
from diffing.model_diff import ModelDiff
from diffing.thresholds import breaches
from diffing.wording import ordered, verdict

FORMAT = 1


def as_json(diffs: Sequence[ModelDiff]) -> dict[str, Any]:
    """What `json.dumps` takes as it is. Totals are texts, so that no digit is lost."""
    return {
        "format": FORMAT,
        "verdict": verdict(diffs),
        "breaches": sum(len(breaches(diff)) for diff in diffs),
        "models": [_model(diff) for diff in ordered(diffs)],
    }


def _model(diff: ModelDiff) -> dict[str, Any]:
    rows = diff.rows
    return {
        "name": diff.name,
        "status": diff.status,
        "live": _relation(diff.live),
        "next": _relation(diff.next),
        "breaches": breaches(diff),
        "key": list(diff.key),
        "why_no_key": diff.why_no_key,
        "columns": {
            "added": [asdict(one) for one in diff.added],
            "removed": [asdict(one) for one in diff.removed],
            "retyped": [asdict(one) for one in diff.retyped],
        },
        "rows_live": diff.rows_live,
        "rows_next": diff.rows_next,
        "rows": rows and {**asdict(rows), "compared": rows.compared},
        "removed_pct": diff.removed_pct,
        "added_pct": diff.added_pct,
        "changed_pct": diff.changed_pct,
        "matches": [
            {"column": one.column, "differing": one.differing, "match_pct": one.pct}
            for one in diff.matches
        ],
        "totals": [
            {
                "column": one.column,
                "live": None if one.live is None else str(one.live),
                "next": None if one.next is None else str(one.next),
                "change_pct": one.change_pct,
            }
            for one in diff.totals
        ],
        "shared": [_without_none(asdict(one), "values") for one in diff.shared],
        "examples": [asdict(one) for one in diff.examples],
        "notes": list(diff.notes),
    }


def _relation(relation: Relation | None) -> dict[str, str] | None:
    return relation and dict(zip(("schema", "identifier"), relation, strict=True))


def _without_none(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name or value is not None}
