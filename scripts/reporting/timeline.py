"""When each node of a run could start, started and ended, and which chain made it this long."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reporting.artifacts import Manifest, Node, Result, Run

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Span:
    """One node in time. All times are seconds since the first node started."""

    node: Node
    result: Result
    ready: float
    start: float
    end: float
    critical: bool = False

    @property
    def wait(self) -> float:
        """Time between the end of all that this node reads and its own start."""
        return self.start - self.ready

    @property
    def run(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Timeline:
    spans: tuple[Span, ...]  # by start
    lanes: tuple[tuple[str, tuple[Span, ...]], ...]  # by thread
    critical: tuple[Span, ...]  # the longest chain of dependent nodes, first to last
    seconds: float

    @property
    def busy(self) -> float:
        """Share of the threads' time in which a node ran, 0 to 1."""
        total = self.seconds * len(self.lanes)
        return min(1.0, sum(span.run for span in self.spans) / total) if total else 0.0

    @property
    def critical_run(self) -> float:
        return sum(span.run for span in self.critical)

    @property
    def critical_wait(self) -> float:
        return sum(span.wait for span in self.critical)


def run_graph(manifest: Manifest, run: Run) -> Graph:
    """What each node of the run had to wait for, as dbt orders it.

    Nodes outside the run are looked through. In `dbt build` a unit test comes just before its
    model, and a test comes before every node downstream of all that the test reads.
    """
    known: dict[str, frozenset[str]] = {}

    def parents(unique_id: str) -> frozenset[str]:
        if unique_id not in known:
            known[unique_id] = frozenset()  # dbt allows no cycle; a torn manifest must not hang
            found: set[str] = set()
            for parent in _direct_parents(manifest, unique_id):
                found |= {parent} if parent in run.results else parents(parent)
            known[unique_id] = frozenset(found)
        return known[unique_id]

    graph = {unique_id: set(parents(unique_id)) for unique_id in run.results}
    if run.runs_tests_first:
        _add_test_edges(manifest, run, graph)
    return {unique_id: frozenset(found - {unique_id}) for unique_id, found in graph.items()}


def _direct_parents(manifest: Manifest, unique_id: str) -> tuple[str, ...]:
    node = manifest.node(unique_id)
    return manifest.node(node.tested).parents if node.kind == "unit_test" else node.parents


def _add_test_edges(manifest: Manifest, run: Run, graph: dict[str, set[str]]) -> None:
    nodes = {unique_id: manifest.node(unique_id) for unique_id in run.results}
    above = ancestors(manifest)
    below: dict[str, set[str]] = defaultdict(set)
    for unique_id, found in above.items():
        for parent in found:
            below[parent].add(unique_id)
    for test in nodes.values():
        if test.kind == "test" and test.parents:
            downstream = set.intersection(*(below[parent] for parent in test.parents))
            for unique_id in downstream:
                if unique_id in graph and not nodes[unique_id].is_test:
                    graph[unique_id].add(test.unique_id)
    # A model's unit tests take its turn, and then the model.
    units = [node for node in nodes.values() if node.kind == "unit_test" and node.tested in graph]
    turns = {node.unique_id: set(graph[node.tested]) for node in units}
    graph.update(turns)
    for node in units:
        graph[node.tested].add(node.unique_id)


def ancestors(manifest: Manifest) -> dict[str, frozenset[str]]:
    """All that each node stands on, directly or not."""
    known: dict[str, frozenset[str]] = {}

    def above(unique_id: str) -> frozenset[str]:
        if unique_id not in known:
            known[unique_id] = frozenset()
            found = set(manifest.node(unique_id).parents)
            for parent in tuple(found):
                found |= above(parent)
            known[unique_id] = frozenset(found)
        return known[unique_id]

    for unique_id in manifest.nodes:
        above(unique_id)
    return known


def causes(unique_id: str, graph: Graph, run: Run) -> list[str]:
    """The failed nodes that made dbt skip this one, nearest first."""
    found: list[str] = []
    seen, level = {unique_id}, [unique_id]
    while level:
        above = sorted({parent for child in level for parent in graph.get(child, ())} - seen)
        seen.update(above)
        found += [parent for parent in above if run.results[parent].failed]
        level = above
    return found


def timeline(manifest: Manifest, run: Run) -> Timeline | None:
    """The run in time, or None if nothing in it was timed."""
    timed = {
        result.unique_id: (result.started, result.finished, result)
        for result in run.results.values()
        if result.started
        and result.finished
        and manifest.node(result.unique_id).kind != "exposure"  # dbt only ticks it off
    }
    if not timed:
        return None
    zero = min(started for started, _, _ in timed.values())
    graph = run_graph(manifest, run)

    def since(moment: datetime) -> float:
        return (moment - zero).total_seconds()

    spans = {}
    for unique_id, (started, finished, result) in timed.items():
        ends = [since(timed[parent][1]) for parent in graph[unique_id] if parent in timed]
        start = since(started)
        ready = min(start, max(ends, default=0.0))
        spans[unique_id] = Span(manifest.node(unique_id), result, ready, start, since(finished))
    chain = longest_chain({unique_id: span.run for unique_id, span in spans.items()}, graph)
    for unique_id in chain:
        spans[unique_id] = replace(spans[unique_id], critical=True)
    ordered = tuple(sorted(spans.values(), key=lambda span: (span.start, span.end)))
    by_thread: dict[str, list[Span]] = defaultdict(list)
    for span in ordered:
        by_thread[span.result.thread].append(span)
    lanes = tuple((_lane(name), tuple(by_thread[name])) for name in sorted(by_thread, key=_number))
    critical = tuple(spans[unique_id] for unique_id in chain)
    return Timeline(ordered, lanes, critical, max(span.end for span in ordered))


def longest_chain(seconds: Mapping[str, float], graph: Graph) -> list[str]:
    """The chain of dependent nodes with the greatest sum of seconds, first to last."""
    best: dict[str, float] = {}
    before: dict[str, str | None] = {}

    def length(unique_id: str) -> float:
        if unique_id not in best:
            best[unique_id] = seconds[unique_id]
            parents = sorted(parent for parent in graph.get(unique_id, ()) if parent in seconds)
            before[unique_id] = max(parents, key=length, default=None)
            if (parent := before[unique_id]) is not None:
                best[unique_id] += best[parent]
        return best[unique_id]

    chain: list[str] = []
    step: str | None = max(sorted(seconds), key=length, default=None)
    while step is not None:
        chain.append(step)
        step = before[step]
    return chain[::-1]


def _number(thread: str) -> tuple[int, str]:
    digits = re.search(r"\d+", thread)
    return (int(digits.group()) if digits else 0, thread)


def _lane(thread: str) -> str:
    """`Thread-3 (worker)` → `Thread 3`."""
    digits = re.match(r"Thread-(\d+)", thread)
    return f"Thread {digits.group(1)}" if digits else thread or "Thread"
