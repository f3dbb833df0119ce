"""dbt's artifacts, read into a few plain types: the nodes, the run and the sources' freshness.

Only what the report shows is kept. Every reader returns None for a file that is missing, and raises
ArtifactError for one that is there but cannot be understood.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]

# Commands that build or test something. The run_results.json of any other one judges nothing.
RUNNING_COMMANDS = frozenset({"build", "run", "test", "seed", "snapshot", "retry", "clone"})
FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
TESTS = frozenset({"test", "unit_test"})
LAYERS = ("source", "seed", "bronze", "silver", "snapshot", "gold", "exposure")

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}


class ArtifactError(RuntimeError):
    """An artifact is not what dbt writes; the message names the file and says what to do."""


@dataclass(frozen=True)
class Node:
    """A source table, model, snapshot, seed, test, unit test or exposure."""

    unique_id: str
    name: str
    kind: str
    layer: str
    domain: str
    parents: tuple[str, ...] = ()
    materialized: str = ""
    database: str = ""
    schema: str = ""
    identifier: str = ""
    description: str = ""
    owner: str = ""
    group: str = ""
    path: str = ""
    compiled: str = ""  # the path of its compiled SQL, once there is one
    tested: str = ""  # for a test: the node that it guards
    rule: str = ""  # for a generic test: its name, column and arguments
    warn_hours: float | None = None
    error_hours: float | None = None

    @property
    def is_test(self) -> bool:
        return self.kind in TESTS


@dataclass(frozen=True)
class Result:
    """What became of one node in the run. Times are UTC, `seconds` is dbt's own measure."""

    unique_id: str
    status: str
    message: str
    failures: int | None
    seconds: float
    started: datetime | None
    finished: datetime | None
    thread: str
    rows: int | None
    sql: str

    @property
    def failed(self) -> bool:
        return self.status in FAILED


@dataclass(frozen=True)
class Group:
    """Who answers for a domain. `notify` is the variable that holds the channels of its own."""

    name: str
    owner: str
    email: str = ""
    notify: str = ""


@dataclass(frozen=True)
class Manifest:
    """The project as dbt last parsed it."""

    project: str
    adapter: str
    generated: datetime
    nodes: Mapping[str, Node]
    groups: Mapping[str, Group] = field(default_factory=dict)

    def node(self, unique_id: str) -> Node:
        """The node, or what its identifier alone tells if the manifest does not know it."""
        if unique_id in self.nodes:
            return self.nodes[unique_id]
        kind, _, rest = unique_id.partition(".")
        parts = rest.split(".")
        name = parts[1] if kind == "test" and len(parts) > 1 else parts[-1]
        return Node(unique_id, name or unique_id, kind, kind, "")


@dataclass(frozen=True)
class Run:
    """One dbt command that built or tested something."""

    dbt_version: str
    command: str
    target: str
    generated: datetime
    seconds: float
    results: Mapping[str, Result] = field(default_factory=dict)
    runs_tests_first: bool = False  # `dbt build`: a failing test holds back what is downstream

    @property
    def judges(self) -> bool:
        return self.command.split(" ")[1] in RUNNING_COMMANDS and bool(self.results)


@dataclass(frozen=True)
class Age:
    """How long ago a source table was loaded, and its limits; hours."""

    unique_id: str
    status: str  # pass, warn, error, runtime error
    hours: float | None
    warn_hours: float | None
    error_hours: float | None
    message: str = ""


@dataclass(frozen=True)
class Freshness:
    generated: datetime
    ages: Mapping[str, Age]
    invocation: str = ""


def read_manifest(path: Path) -> Manifest | None:
    document = _read(path)
    if document is None:
        return None
    meta = document["metadata"]
    groups = {name.rpartition(".")[2]: group for name, group in document["groups"].items()}
    everything: Iterable[Json] = (
        resource
        for section in ("sources", "nodes", "exposures", "unit_tests")
        for resource in document.get(section, {}).values()
    )
    shown = {"source", "model", "snapshot", "seed", "test", "unit_test", "exposure"}
    nodes = {
        resource["unique_id"]: _node(resource, groups)
        for resource in everything
        if resource["resource_type"] in shown
    }
    nodes.update(
        {
            unique_id: replace(nodes[unique_id], domain=domain)
            for unique_id, domain in _inherited_domains(nodes).items()
        }
    )
    return Manifest(
        project=meta.get("project_name") or "",
        adapter=meta.get("adapter_type") or "",
        generated=_time(meta["generated_at"]),
        nodes=nodes,
        groups={name: _group(name, group) for name, group in groups.items()},
    )


def read_run(path: Path) -> Run | None:
    document = _read(path)
    if document is None:
        return None
    meta, args = document["metadata"], document.get("args", {})
    results = [_result(result) for result in document["results"]]
    return Run(
        dbt_version=meta.get("dbt_version") or "",
        command=_command(args),
        target=args.get("target") or "",
        generated=_time(meta["generated_at"]),
        seconds=document.get("elapsed_time") or 0.0,
        results={result.unique_id: result for result in results},
        runs_tests_first=args.get("which") in {"build", "retry"},
    )


def read_freshness(path: Path) -> Freshness | None:
    document = _read(path)
    if document is None:
        return None
    ages = {result["unique_id"]: _age(result) for result in document["results"]}
    meta = document["metadata"]
    return Freshness(_time(meta["generated_at"]), ages, meta.get("invocation_id") or "")


def _read(path: Path) -> Json | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if "metadata" not in document:
            raise ValueError("it has no metadata")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{path} cannot be read ({error}): delete it and run dbt again."
        ) from None
    return document  # type: ignore[no-any-return]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _node(resource: Json, groups: Mapping[str, Json]) -> Node:
    kind = resource["resource_type"]
    config = resource.get("config") or {}
    fqn = resource.get("fqn") or []
    layer, domain = kind, ""
    if kind == "source":
        domain = resource["source_name"]
    elif kind == "model":
        layer = fqn[1] if len(fqn) > 2 else "model"
        domain = fqn[2] if len(fqn) > 3 else ""
    name = resource["name"]
    if resource.get("version"):
        name = f"{name}.v{resource['version']}"
    freshness = resource.get("freshness") or {}
    return Node(
        unique_id=resource["unique_id"],
        name=f"{domain}.{name}" if kind == "source" else name,
        kind=kind,
        layer=layer,
        domain=domain,
        parents=tuple((resource.get("depends_on") or {}).get("nodes") or ()),
        materialized=config.get("materialized") or "",
        database=resource.get("database") or "",
        schema=resource.get("schema") or "",
        identifier=resource.get("identifier") or resource.get("alias") or "",
        description=(resource.get("description") or config.get("description") or "").strip(),
        owner=_owner(resource, config, groups),
        group=config.get("group") or "",
        path=resource.get("original_file_path") or "",
        compiled=resource.get("compiled_path") or "",
        tested=_tested(resource),
        rule=_rule(resource),
        warn_hours=_limit(freshness.get("warn_after")),
        error_hours=_limit(freshness.get("error_after")),
    )


def _inherited_domains(nodes: Mapping[str, Node]) -> dict[str, str]:
    """The domain of what has no folder that says it: the one that most of its parents have."""
    found: dict[str, str] = {}

    def domain(unique_id: str) -> str:
        node = nodes.get(unique_id)
        if node is None or node.domain or unique_id in found:
            return found.get(unique_id) or (node.domain if node else "")
        found[unique_id] = "shared"
        above = [name for parent in node.parents if (name := domain(parent))]
        found[unique_id] = Counter(above).most_common(1)[0][0] if above else "shared"
        return found[unique_id]

    for unique_id in nodes:
        domain(unique_id)
    return found


def _owner(resource: Json, config: Json, groups: Mapping[str, Json]) -> str:
    meta = {
        **(resource.get("source_meta") or {}),
        **(resource.get("meta") or {}),
        **(config.get("meta") or {}),
    }
    group = groups.get(config.get("group") or "", {})
    owner = meta.get("owner") or resource.get("owner") or group.get("owner") or ""
    if isinstance(owner, Mapping):
        owner = owner.get("name") or owner.get("email") or ""
    return str(owner)


def _group(name: str, group: Json) -> Group:
    owner = group.get("owner") or {}
    meta = (group.get("config") or {}).get("meta") or {}
    return Group(
        name=name,
        owner=str(owner.get("name") or owner.get("email") or name),
        email=str(owner.get("email") or ""),
        notify=str(meta.get("notify") or ""),
    )


def _tested(resource: Json) -> str:
    parents = (resource.get("depends_on") or {}).get("nodes") or []
    if resource["resource_type"] not in TESTS or not parents:
        return ""
    return str(resource.get("attached_node") or parents[-1])


def _rule(resource: Json) -> str:
    """`accepted_values(column_name=status, values=[…])`: what a generic test was asked to hold."""
    test = resource.get("test_metadata")
    if not test:
        return ""
    arguments = {key: value for key, value in test["kwargs"].items() if key != "model"}
    return f"{test['name']}({', '.join(f'{key}={value}' for key, value in arguments.items())})"


def _limit(limit: Json | None) -> float | None:
    if not limit or not limit.get("count") or not limit.get("period"):
        return None
    return float(limit["count"]) * _HOURS[limit["period"]]


def _result(result: Json) -> Result:
    started = [_time(step["started_at"]) for step in result["timing"] if step.get("started_at")]
    finished = [
        _time(step["completed_at"]) for step in result["timing"] if step.get("completed_at")
    ]
    rows = (result.get("adapter_response") or {}).get("rows_affected")
    return Result(
        unique_id=result["unique_id"],
        status=str(result["status"]),
        message=_ANSI.sub("", str(result.get("message") or "")).strip(),
        failures=result.get("failures"),
        seconds=float(result.get("execution_time") or 0),
        started=min(started, default=None),
        finished=max(finished, default=None),
        thread=str(result.get("thread_id") or ""),
        rows=rows if isinstance(rows, int) and rows >= 0 else None,
        sql=(result.get("compiled_code") or "").strip(),
    )


def _age(result: Json) -> Age:
    criteria = result.get("criteria") or {}
    seconds = result.get("max_loaded_at_time_ago_in_s")
    return Age(
        unique_id=result["unique_id"],
        status=str(result["status"]),
        hours=None if seconds is None else float(seconds) / 3600,
        warn_hours=_limit(criteria.get("warn_after")),
        error_hours=_limit(criteria.get("error_after")),
        message=_ANSI.sub("", str(result.get("error") or "")),
    )


def _command(args: Json) -> str:
    """The command in short. Never dbt's `invocation_command`: `--vars` may hold a secret there."""
    words = ["dbt", str(args.get("which") or "?")]
    for option in ("select", "exclude"):
        chosen = args.get(option) or []
        words += [f"--{option}", *map(str, chosen)] if chosen else []
    return " ".join([*words, *(["--full-refresh"] if args.get("full_refresh") else [])])
