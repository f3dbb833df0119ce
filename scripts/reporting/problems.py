"""What went wrong in a run, and what to do about each: failures, warnings, and what was skipped."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reporting.artifacts import Freshness, Manifest, Node, Result, Run
from reporting.freshness import FreshnessRow
from reporting.timeline import causes, run_graph
from reporting.warehouse_facts import Batch

# Extraction and freshness further than this from the run belong to another day's work: they are
# shown with their own time, and do not count in this run's verdict.
SAME_WORK = timedelta(hours=24)


@dataclass(frozen=True)
class Problem:
    """A failure or a warning, with all that someone needs to begin mending it."""

    what: str  # in a word or two: Test, Model, Freshness, Extraction
    title: str
    status: str
    message: str = ""
    count: int | None = None
    owner: str = ""
    description: str = ""
    rule: str = ""
    path: str = ""
    sql: str = ""
    sql_label: str = ""
    commands: tuple[tuple[str, str], ...] = ()
    about: str = ""  # unique_id of the node itself
    tested: str = ""  # unique_id of the node that a test guards


@dataclass(frozen=True)
class Skipped:
    """Nodes that dbt left out, by the failure that held them back."""

    cause: str  # unique_id, or "" when dbt gave none
    others: int
    nodes: tuple[Node, ...]
    message: str = ""


def problems(
    manifest: Manifest,
    run: Run | None,
    batches: Sequence[Batch],
    board: Sequence[FreshnessRow],
    freshness: Freshness | None,
) -> list[Problem]:
    """Everything wrong, in the order in which a row travels: extraction, nodes, freshness."""
    if run is None:
        return []
    return [
        *_extract_problems(manifest, batches, run),
        *_node_problems(manifest, run),
        *(_freshness_problems(board) if freshness and same_work(freshness.generated, run) else []),
    ]


def _node_problems(manifest: Manifest, run: Run) -> list[Problem]:
    found = [
        _node_problem(manifest, run, result)
        for result in run.results.values()
        if result.failed or result.status == "warn"
    ]
    # What broke comes before what was found wrong in the data.
    order = {"error": 0, "runtime error": 0, "partial success": 0, "fail": 1, "warn": 2}
    return sorted(
        found, key=lambda problem: (order[run.results[problem.about].status], problem.title)
    )


def _node_problem(manifest: Manifest, run: Run, result: Result) -> Problem:
    node = manifest.node(result.unique_id)
    words = {"test": "Data test", "unit_test": "Unit test"}
    target = f" --target {shlex.quote(run.target)}" if run.target else ""
    chosen = f"-s {shlex.quote(node.name)}{target}"
    commands: tuple[tuple[str, str], ...]
    if node.kind == "test":
        commands = (
            # Without --no-write-json, looking would overwrite the results this page reports.
            ("See the failing rows", f"dbt show {chosen} --limit 20 --no-write-json"),
            ("Test again", f"dbt test {chosen}"),
        )
        label = "The query that returns the failing rows"
    elif node.kind == "unit_test":
        commands = (("Test again", f"dbt test {chosen}"),)
        label = "The model's query on the given rows"
    else:
        chosen = f"-s {shlex.quote(node.name + '+')}{target}"
        commands = (("Build again, with all that reads it", f"dbt build {chosen}"),)
        label = "The compiled SQL"
    return Problem(
        what=words.get(node.kind, node.kind.capitalize()),
        title=node.name,
        status="failed" if result.failed else "warned",
        message=result.message,
        count=result.failures if node.kind == "test" else None,
        owner=_owner(manifest, node),
        description=node.description,
        rule=node.rule,
        path=node.path,
        sql=result.sql,
        sql_label=label,
        commands=commands if node.kind != "operation" else (),
        about=result.unique_id,
        tested=node.tested,
    )


def _owner(manifest: Manifest, node: Node) -> str:
    owned = nearest_owned(manifest, node)
    return owned.owner if owned else ""


def nearest_owned(manifest: Manifest, node: Node) -> Node | None:
    """The node if it has an owner, or else what it guards, or else the nearest that it reads."""
    level, seen = [node.unique_id], {node.unique_id}
    if node.tested:
        level.append(node.tested)
    while level:
        nodes = [manifest.node(unique_id) for unique_id in level]
        for found in nodes:
            if found.owner:
                return found
        level = [parent for found in nodes for parent in found.parents if parent not in seen]
        seen.update(level)
    return None


def _extract_problems(manifest: Manifest, batches: Sequence[Batch], run: Run) -> list[Problem]:
    sources = {node.name: node for node in manifest.nodes.values() if node.kind == "source"}
    statuses = {"failed": "failed", "abandoned": "failed", "running": "warned"}
    messages = {
        "abandoned": "The extraction ended before this table was done.",
        "running": "The extraction of this table had not ended when this page was made.",
    }
    return [
        Problem(
            what="Extraction",
            title=name,
            status=statuses[batch.status],
            message=batch.error or messages.get(batch.status, ""),
            owner=sources[name].owner if name in sources else "",
            path=sources[name].path if name in sources else "",
            about=sources[name].unique_id if name in sources else "",
            commands=(
                (
                    "Extract again",
                    f"python scripts/extract.py --source {shlex.quote(batch.source)}"
                    f" --table {shlex.quote(batch.table)}",
                ),
            ),
        )
        for batch in batches
        for name in (f"{batch.source}.{batch.table}",)
        if batch.status in statuses and same_work(batch.started, run)
    ]


def _freshness_problems(board: Sequence[FreshnessRow]) -> list[Problem]:
    return [
        Problem(
            what="Freshness",
            title=row.node.name,
            status="warned" if row.status == "warned" else "failed",
            message=_age_in_words(row),
            owner=row.node.owner,
            description=row.node.description,
            path=row.node.path,
            commands=(
                (
                    "Measure again",
                    f"dbt source freshness -s {shlex.quote(f'source:{row.node.name}')}",
                ),
            ),
            about=row.node.unique_id,
        )
        for row in board
        # What dbt could not measure has an age as well, and what it was not asked about has none.
        if row.age and row.status != "fresh"
    ]


def _age_in_words(row: FreshnessRow) -> str:
    age = row.age
    if age is None or age.hours is None:
        return age.message if age else ""
    limit = age.error_hours if row.status == "stale" else age.warn_hours
    return f"It was last extracted {age.hours:,.1f} hours ago; the limit is {limit:,.4g} hours."


def same_work(moment: datetime | None, run: Run) -> bool:
    """Whether what happened then belongs to this run."""
    if moment is None:
        return False
    return abs(run.generated - moment) <= SAME_WORK


def skipped(manifest: Manifest, run: Run) -> tuple[Skipped, ...]:
    """The nodes that dbt left out, grouped by the failure nearest above them."""
    graph = run_graph(manifest, run)
    groups: dict[tuple[str, int, str], list[Node]] = defaultdict(list)
    for result in run.results.values():
        if result.status == "skipped":
            found = causes(result.unique_id, graph, run)
            key = (found[0], len(found) - 1, "") if found else ("", 0, result.message)
            groups[key].append(manifest.node(result.unique_id))
    return tuple(
        Skipped(cause, others, tuple(sorted(nodes, key=lambda n: (n.is_test, n.name))), message)
        for (cause, others, message), nodes in sorted(
            groups.items(), key=lambda group: (-len(group[1]), group[0])
        )
    )
