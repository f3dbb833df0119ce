"""Puts together what the report shows, from dbt's artifacts and the warehouse."""

from __future__ import annotations

import os
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from common.dbt_project import DbtProjectError, target_name
from common.project import ROOT
from reporting.artifacts import (
    ArtifactError,
    Freshness,
    Manifest,
    Node,
    Run,
    read_freshness,
    read_manifest,
    read_run,
)
from reporting.catalogue import Layer, layers, status_word
from reporting.freshness import FreshnessRow, freshness_board
from reporting.problems import Problem, Skipped, problems, same_work, skipped
from reporting.timeline import Span, Timeline, timeline
from reporting.warehouse_facts import Batch, WarehouseFacts, read_warehouse

SLOWEST = 10

T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    project: str
    verdict: str
    tone: str  # failed, warned, ok, none
    summary: str
    made: datetime
    target: str
    commit: str
    run: Run | None
    manifest: Manifest | None
    notices: tuple[str, ...]
    failures: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    skipped: tuple[Skipped, ...]
    timeline: Timeline | None
    slowest: tuple[Span, ...]
    warehouse: WarehouseFacts
    freshness: Freshness | None
    fresh: tuple[FreshnessRow, ...]
    layers: tuple[Layer, ...]
    counts: Mapping[str, Counter[str]] = field(default_factory=dict)  # kind → status → nodes

    @property
    def verdict_line(self) -> str:
        return f"{self.verdict}: {self.summary}"


def collect(target_path: Path, target: str | None = None) -> Report:
    """Reads everything. What is missing or unreadable is left empty, and a notice says so."""
    unread: list[str] = []
    manifest = _attempt(read_manifest, target_path / "manifest.json", unread)
    run = _attempt(read_run, target_path / "run_results.json", unread)
    freshness = _attempt(read_freshness, target_path / "sources.json", unread)
    known = manifest or Manifest("", "", datetime.now(timezone.utc), {})

    name = target or (run.target if run else "") or _default_target()
    tables = {n.unique_id: (n.schema, n.identifier) for n in known.nodes.values() if _is_table(n)}
    warehouse = read_warehouse(name or None, tables.values())

    judged = run if run and run.judges else None
    board = freshness_board(known, freshness)
    found = problems(known, judged, warehouse.batches, board, freshness)
    failures = tuple(problem for problem in found if problem.status == "failed")
    warnings = tuple(problem for problem in found if problem.status == "warned")
    left_out = skipped(known, judged) if judged else ()
    held_back = any(node.kind != "exposure" for group in left_out for node in group.nodes)
    verdict, tone = _verdict(judged, len(failures), len(warnings), held_back)
    times = timeline(known, judged) if judged else None
    return Report(
        project=known.project,
        verdict=verdict,
        tone=tone,
        summary=_summary(known, judged, run, found, left_out, warehouse.batches),
        made=datetime.now(timezone.utc),
        target=name,
        commit=_commit(judged),
        run=judged,
        manifest=manifest,
        notices=(*unread, *_notices(manifest, run, freshness, warehouse, target)),
        failures=failures,
        warnings=warnings,
        skipped=left_out,
        timeline=times,
        slowest=_slowest(times),
        warehouse=warehouse,
        freshness=freshness,
        fresh=board,
        layers=layers(known, judged, warehouse, board),
        counts=_counts(known, judged),
    )


# ---- the verdict


def _verdict(run: Run | None, failures: int, warnings: int, held_back: bool) -> tuple[str, str]:
    if run is None:
        return "NO RUN", "none"
    if failures or held_back:
        return "FAILED", "failed"
    if warnings:
        return f"PASSED WITH {warnings} WARNING{'S' * (warnings > 1)}", "warned"
    return "PASSED", "ok"


def _summary(
    manifest: Manifest,
    run: Run | None,
    last: Run | None,
    found: Sequence[Problem],
    left_out: Sequence[Skipped],
    batches: Sequence[Batch],
) -> str:
    if run is None:
        if last is None:
            return "Nothing has run here yet. `dbt build` makes the run that this page reports."
        return f"The last dbt command, `{last.command}`, built and tested nothing."
    failures = [problem for problem in found if problem.status == "failed"]
    held = sum(len(group.nodes) for group in left_out)
    done = [r.unique_id for r in run.results.values() if r.status in {"success", "pass", "no-op"}]
    if failures or held:
        parts = [_several(number, noun) for noun, number in _by_what(failures)]
        if len(failures) < len(found):
            parts.append(_several(len(found) - len(failures), "warning"))
        if held:
            parts.append(f"{held} skipped")
        return f"{', '.join(parts)}; {len(done)} of {_several(len(run.results), 'node')} succeeded."
    kinds = Counter(manifest.node(unique_id).kind for unique_id in done)
    tests = kinds["test"] + kinds["unit_test"]
    parts = [_several(kinds[kind], kind) for kind in ("seed", "model", "snapshot") if kinds[kind]]
    parts = [f"{', '.join(parts)} built"] if parts else []
    if tests:
        parts.append(f"{_several(tests, 'test')} passed")
    if rows := sum(b.rows or 0 for b in batches if same_work(b.started, run)):
        parts.append(f"{_several(rows, 'row')} landed")
    return f"{', '.join(parts) or _several(len(run.results), 'node') + ' ran'}."


def _by_what(failures: Iterable[Problem]) -> list[tuple[str, int]]:
    nouns = {
        "Data test": "failed test",
        "Unit test": "failed unit test",
        "Freshness": "stale source",
        "Extraction": "failed extraction",
    }
    return list(Counter(nouns.get(p.what, f"failed {p.what.lower()}") for p in failures).items())


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# ---- what fits together, and what does not


def _attempt(read: Callable[[Path], T | None], path: Path, unread: list[str]) -> T | None:
    try:
        return read(path)
    except ArtifactError as error:
        unread.append(str(error))
    except (KeyError, TypeError, ValueError, AttributeError):
        unread.append(f"{path} is not what dbt 1.11 writes: delete it and run dbt again.")
    return None


def _notices(
    manifest: Manifest | None,
    run: Run | None,
    freshness: Freshness | None,
    warehouse: WarehouseFacts,
    target: str | None,
) -> list[str]:
    notices = []
    if manifest is None:
        notices.append(
            "There is no manifest.json, so names, owners and lineage are missing: run `dbt parse`."
        )
    elif run and (strangers := _strangers(manifest, run)):
        notices.append(
            f"manifest.json is from another dbt command than the run ({_clock(manifest.generated)},"
            f" the run ended {_clock(run.generated)}). {_several(strangers, 'node')} of the run"
            f" {'is' if strangers == 1 else 'are'} not in it."
        )
    if run and freshness and not same_work(freshness.generated, run):
        notices.append(
            f"Freshness was measured {_clock(freshness.generated)}, more than a day from the run:"
            " it does not count in the verdict."
        )
    if run and warehouse.problem:
        notices.append("The warehouse did not answer: extraction does not count in the verdict.")
    started = max((b.started for b in warehouse.batches if b.started), default=None)
    if run and started and not same_work(started, run):
        notices.append(
            f"The last extraction began {_clock(started)}, more than a day from the run:"
            " it does not count in the verdict."
        )
    if run and target and run.target and run.target != target:
        notices.append(
            f"The run was for target {run.target}, the warehouse facts are from target {target}."
        )
    databases = (
        {n.database for n in manifest.nodes.values() if n.kind == "model"} if manifest else ()
    )
    if warehouse.database and databases and warehouse.database not in databases:
        notices.append(
            f"The run built in database {', '.join(sorted(databases))}, but the target's database"
            f" is {warehouse.database}: rows and batches on this page are from the latter."
        )
    return notices


def _strangers(manifest: Manifest, run: Run) -> int:
    """Nodes of the run that the manifest does not know.

    Every dbt command writes the manifest anew, freshness and docs too: that alone is no news.
    """
    return sum(1 for u in run.results if u not in manifest.nodes and "operation" not in u)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%d %b %Y, %H:%M} UTC"


def _default_target() -> str:
    try:
        return target_name()
    except DbtProjectError:
        return ""


def _commit(run: Run | None) -> str:
    """The commit of the checkout, and whether it can be what ran."""
    try:
        git = ["git", "-C", str(ROOT)]
        log = subprocess.run(
            [*git, "log", "-1", "--format=%h %ct"], capture_output=True, text=True, check=True
        )
        status = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("GITHUB_SHA", "")[:9]
    commit, _, stamp = log.stdout.strip().partition(" ")
    if run and float(stamp) > run.generated.timestamp():
        return f"{commit}, made after this run"
    return f"{commit}, with uncommitted changes" if status.stdout.strip() else commit


def _is_table(node: Node) -> bool:
    return node.kind in {"model", "snapshot", "seed", "source"} and node.materialized != "view"


def _slowest(times: Timeline | None) -> tuple[Span, ...]:
    if times is None:
        return ()
    built = [span for span in times.spans if not span.node.is_test]
    return tuple(sorted(built, key=lambda span: -span.result.seconds)[:SLOWEST])


def _counts(manifest: Manifest, run: Run | None) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for result in run.results.values() if run else ():
        counts[manifest.node(result.unique_id).kind][status_word(result)] += 1
    return counts
