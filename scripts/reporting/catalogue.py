"""The project's nodes by layer: what the run and the warehouse say of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from reporting.artifacts import FAILED, LAYERS, Manifest, Node, Result, Run
from reporting.freshness import FreshnessRow
from reporting.warehouse_facts import RowCount, WarehouseFacts

# The worst first.
SEVERITY = ("failed", "warned", "skipped", "ok", "not run")


@dataclass(frozen=True)
class NodeRow:
    """One node of the catalogue: what it is, and what the run and the warehouse say of it."""

    node: Node
    status: str  # one of SEVERITY, its tests included
    result: Result | None
    rows: RowCount | None
    tests: int  # how many guard it
    tests_passed: int
    children: tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    name: str
    nodes: tuple[NodeRow, ...]

    @property
    def rows(self) -> RowCount | None:
        counts = [row.rows for row in self.nodes if row.rows]
        if not counts:
            return None
        return RowCount(sum(c.rows for c in counts), all(c.exact for c in counts))

    @property
    def seconds(self) -> float:
        return sum(row.result.seconds for row in self.nodes if row.result)


def status_word(result: Result | None) -> str:
    if result is None:
        return "not run"
    if result.status in FAILED:
        return "failed"
    return {"warn": "warned", "skipped": "skipped"}.get(result.status, "ok")


def layers(
    manifest: Manifest,
    run: Run | None,
    warehouse: WarehouseFacts,
    fresh: Sequence[FreshnessRow],
) -> tuple[Layer, ...]:
    results = run.results if run else {}
    tests: dict[str, list[Node]] = defaultdict(list)
    children: dict[str, list[str]] = defaultdict(list)
    for node in manifest.nodes.values():
        if node.is_test:
            tests[node.tested].append(node)
        else:
            for parent in node.parents:
                children[parent].append(node.unique_id)
    ages = {row.node.unique_id: row.status for row in fresh}
    found: dict[str, list[NodeRow]] = defaultdict(list)
    for node in manifest.nodes.values():
        if node.is_test:
            continue
        result = results.get(node.unique_id)
        ran = [results[t.unique_id] for t in tests[node.unique_id] if t.unique_id in results]
        words = [status_word(r) for r in ran if r.status != "skipped"]
        if result or node.kind != "source":
            words.append(status_word(result))
        if ages.get(node.unique_id) in {"fresh", "warned", "stale"}:
            words.append({"fresh": "ok", "stale": "failed"}.get(ages[node.unique_id], "warned"))
        found[node.layer].append(
            NodeRow(
                node=node,
                status=min(words, key=SEVERITY.index, default="not run"),
                result=result,
                rows=(warehouse.rows or {}).get((node.schema, node.identifier)),
                tests=len(tests[node.unique_id]),
                tests_passed=sum(1 for r in ran if r.status == "pass"),
                children=tuple(children[node.unique_id]),
            )
        )
    order = {name: position for position, name in enumerate(LAYERS)}
    return tuple(
        Layer(name, tuple(sorted(rows, key=lambda row: (row.node.domain, row.node.name))))
        for name, rows in sorted(found.items(), key=lambda kv: (order.get(kv[0], 3), kv[0]))
    )
