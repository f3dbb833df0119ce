"""The freshness board: every source table that has a limit, or was measured."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.artifacts import Age, Freshness, Manifest, Node


@dataclass(frozen=True)
class FreshnessRow:
    node: Node
    status: str  # fresh, warned, stale, not measured
    age: Age | None


def freshness_board(manifest: Manifest, freshness: Freshness | None) -> tuple[FreshnessRow, ...]:
    """Every source table that has a limit, and every one that was measured; the worst first."""
    ages = freshness.ages if freshness else {}
    words = {"pass": "fresh", "warn": "warned", "error": "stale"}
    rows = []
    for unique_id in sorted(
        {*ages, *(n.unique_id for n in manifest.nodes.values() if _limited(n))}
    ):
        age = ages.get(unique_id)
        status = words.get(age.status, "not measured") if age else "not measured"
        rows.append(FreshnessRow(manifest.node(unique_id), status, age))
    order = ("stale", "not measured", "warned", "fresh")

    def used(row: FreshnessRow) -> float:
        age = row.age
        limit = (age.error_hours or age.warn_hours) if age else None
        return -round(age.hours / limit, 2) if age and age.hours is not None and limit else 0.0

    return tuple(sorted(rows, key=lambda row: (order.index(row.status), used(row), row.node.name)))


def _limited(node: Node) -> bool:
    return node.kind == "source" and (node.warn_hours or node.error_hours) is not None
