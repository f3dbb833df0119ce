"""What a deploy builds, and why: what changed since the live generation, and all that reads it."""

from __future__ import annotations

import json
import re
import tempfile
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common.dbt_project import ask, variables
from publishing.errors import PublishError

Manifest = Any  # dbt's own
Json = Mapping[str, Any]

BUILT = ("model", "seed", "snapshot")
# How the rows of an incremental model, or of a new snapshot, come to be.
COPIED, REBUILT, WHOLE = "copied", "rebuilt", "whole"
# Where the stored manifest.json has the project's variables, which dbt's own has not.
VARS = "vars"


@dataclass(frozen=True)
class Planned:
    """A relation that is built; `schema` is the live one. `history` is for incremental models:
    copied from live and gone on with, or rebuilt from nothing.
    """

    unique_id: str
    name: str
    kind: str
    schema: str
    identifier: str
    change: str  # new, changed, downstream, refreshed
    because: str
    history: str = WHOLE


@dataclass(frozen=True)
class Removed:
    """A relation of the live generation that the project doesn't have any more."""

    name: str
    schema: str
    identifier: str
    readers: tuple[str, ...]  # exposures that read it


@dataclass(frozen=True)
class Plan:
    """What would happen to which relation; `base` is the live generation that it was made for."""

    base: int
    builds: tuple[Planned, ...] = ()
    removed: tuple[Removed, ...] = ()
    tests: tuple[str, ...] = ()  # changed tests of models that did not change
    snapshots: tuple[str, ...] = ()  # to run in their place after the publish; none when they have
    notes: tuple[str, ...] = ()
    project: str = ""  # the fingerprint of the project's files

    @property
    def is_empty(self) -> bool:
        return not (self.builds or self.removed or self.tests or self.snapshots)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        found = json.loads(text)
        return cls(
            base=found["base"],
            builds=tuple(Planned(**one) for one in found["builds"]),
            removed=tuple(
                Removed(**{**one, "readers": tuple(one["readers"])}) for one in found["removed"]
            ),
            tests=tuple(found["tests"]),
            snapshots=tuple(found["snapshots"]),
            notes=tuple(found["notes"]),
            project=found["project"],
        )


@dataclass(frozen=True)
class Wish:
    """What was asked for: dbt's selection instead of what changed; incremental models to build
    from nothing, by name.
    """

    select: tuple[str, ...] = ()
    everything: bool = False
    rebuild: tuple[str, ...] = ()


def deploy(
    manifest: Manifest,
    live: Json | None,
    columns: Mapping[tuple[str, str], Sequence[str]],
    base: int,
    wish: Wish,
    target: str | None,
) -> Plan:
    """The plan of a deploy.

    `live` is the live generation's manifest.json, None before the first publish. `columns` has the
    columns of every relation in the project's schemas as they are. Raises PublishError for a wish
    that names what is not there.
    """
    changed = _changed(manifest, live, target) if live else {}
    rebuilt = list(_to_rebuild(manifest, wish.rebuild))
    for unique_id in rebuilt:
        changed.setdefault(unique_id, ("changed", "rows written anew"))
    if wish.select:
        chosen = _ids(ask(manifest, "--select", *wish.select, target=target))
        chosen += [one for one in rebuilt if one not in chosen]
        reasons = {one: changed.get(one, ("changed", "was asked for")) for one in chosen}
        wanted: Collection[str] = chosen
    elif wish.everything or live is None:
        why = ("new", "the first publish") if live is None else ("changed", "all was asked for")
        reasons = {one: why for one in manifest.nodes if _is_built(manifest.nodes[one])}
        wanted = reasons
    else:
        reasons = dict(changed)
        wanted = _closure(manifest, changed, reasons)
    builds, snapshots, notes = [], [], list[str]()
    for unique_id in wanted:
        node = manifest.nodes.get(unique_id)
        if node is None or not _is_built(node):
            continue
        exists = (node.schema, node.alias) in columns
        if node.resource_type == "snapshot" and exists:
            snapshots.append(node.name)
            continue
        change, because = reasons[unique_id]
        before = (live or {"nodes": {}})["nodes"].get(unique_id)
        history = _history(node, columns.get((node.schema, node.alias)), wish.rebuild, before)
        builds.append(
            Planned(
                *(unique_id, node.name, _kind(node), node.schema, node.alias),
                *(change, because, history),
            )
        )
        if history == COPIED and change == "changed" and not wish.everything:
            notes += _note(manifest, node)
    tests = [one.split(".")[2] for one in changed if manifest.nodes.get(one) and _is_test(one)]
    return Plan(
        base=base,
        builds=tuple(sorted(builds, key=lambda one: (one.schema, one.name))),
        removed=tuple(_removed(manifest, live, columns)) if live and not wish.select else (),
        tests=tuple(sorted(tests)),
        snapshots=tuple(sorted(snapshots)),
        notes=tuple(sorted(notes)),
    )


def refresh(
    manifest: Manifest, selected: Iterable[str], columns: Mapping[tuple[str, str], Any], base: int
) -> Plan:
    """The plan of a refresh, which publishes the tables of gold that `selected` has.

    What lies before gold is built in its place: readers don't read it.
    """
    builds = [
        Planned(
            *(unique_id, node.name, _kind(node), node.schema, node.alias),
            *("refreshed", "rows landed"),
            _history(node, columns.get((node.schema, node.alias)), ()),
        )
        for unique_id, node in ((one, manifest.nodes.get(one)) for one in selected)
        if node is not None and node.resource_type == "model" and is_gold(node)
    ]
    return Plan(base=base, builds=tuple(sorted(builds, key=lambda one: one.name)))


def manifest_of(current: Json, live: Json | None, plan: Plan, wish: Wish) -> Json:
    """The manifest.json of what is live after a deploy.

    That of the project, unless only a part of its changes was asked for: then the rest stays as the
    live generation has it, so that the next deploy finds it changed still.
    """
    if not wish.select:
        return current
    built = {one.unique_id for one in plan.builds}
    before = live["nodes"] if live else {}
    nodes = {one: node for one, node in before.items() if one not in built}
    nodes |= {one: node for one, node in current["nodes"].items() if one in built}
    # Tests of what is there; the macros and sources that the rest was built with.
    for unique_id, node in current["nodes"].items():
        if _is_test(unique_id) and set(node["depends_on"]["nodes"]) & built:
            nodes[unique_id] = node
    return {**(live or current), "nodes": nodes}


def is_gold(node: Any) -> bool:  # noqa: ANN401
    """Whether readers read it: it is in the layer gold."""
    return str(node.config.schema) == "gold"


def changed_names(manifest: Manifest, live: Json, target: str | None) -> list[str]:
    """The models and seeds that are not as they were deployed."""
    found = _changed(manifest, live, target)
    return sorted(manifest.nodes[one].name for one in found if _is_built(manifest.nodes[one]))


def _note(manifest: Manifest, node: Any) -> Iterable[str]:  # noqa: ANN401
    """What becomes of the rows of a changed model that goes on from them."""
    if node.config.full_refresh is not False:
        yield (
            f"{node.name} changed and keeps its rows as they are: `--rebuild {node.name}` "
            "writes them anew."
        )
    for source in (manifest.sources.get(one) for one in node.depends_on.nodes):
        if source is not None and node.config.full_refresh is False and _landed(source)[1]["mode"]:
            table = f"{source.source_name}.{source.name}"
            yield (
                f"{node.name} changed and keeps its rows as they are: a new column is null in them "
                f"until `extract.py --table {table} --full-refresh` has landed them once more."
            )


def _changed(manifest: Manifest, live: Json, target: str | None) -> dict[str, tuple[str, str]]:
    """Id of each changed node, with what changed and why."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "manifest.json").write_text(json.dumps(live))
        types = [option for one in (*BUILT, "test") for option in ("--resource-type", one)]
        # Without the tests of what changed: dbt build finds those by itself.
        asked = ("--select", "state:modified", "--indirect-selection", "empty", *types)
        modified = ask(manifest, *asked, "--state", folder, target=target)
    found = {
        one: ("changed", "changed") if one in live["nodes"] else ("new", "new")
        for one in _ids(modified)
    }
    # dbt takes no notice of a source's columns and keys, of which bronze is made.
    for unique_id, source in manifest.sources.items():
        before = live["sources"].get(unique_id)
        if before and _landed(source) != _landed_before(before):
            for child in manifest.child_map.get(unique_id, []):
                if _is_built(manifest.nodes.get(child)):
                    found.setdefault(child, ("changed", f"columns or keys of {source.name}"))
    # Nor of variables, which no manifest holds.
    for unique_id, name in _reading_variables(manifest, _changed_variables(live)):
        found.setdefault(unique_id, ("changed", f"the variable {name}"))
    return found


def _changed_variables(live: Json) -> set[str]:
    if VARS not in live:  # deployed before they were kept: not known
        return set()
    before, now = live[VARS], variables()
    return {one for one in {*before, *now} if before.get(one) != now.get(one)}


def _reading_variables(manifest: Manifest, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Id of each node that has one of these variables in its code, config or arguments, or in a
    macro that it calls, with the variable.
    """
    reads = re.compile(rf"""\bvar\(\s*["']({"|".join(map(re.escape, sorted(names)))})["']""")
    for unique_id, node in manifest.nodes.items() if names else ():
        if _is_built(node) or _is_test(unique_id):
            called = _code_of_macros(manifest, node.depends_on.macros, set())
            stated = (node.unrendered_config, getattr(node, "test_metadata", None))
            for text in (node.raw_code, str(stated), *called):
                if found := reads.search(text):
                    yield unique_id, found[1]
                    break


def _code_of_macros(manifest: Manifest, called: Iterable[str], known: set[str]) -> Iterator[str]:
    """The code of these macros, and of all that they call in turn."""
    for unique_id in called:
        if unique_id in manifest.macros and unique_id not in known:
            known.add(unique_id)
            macro = manifest.macros[unique_id]
            yield macro.macro_sql
            yield from _code_of_macros(manifest, macro.depends_on.macros, known)


def _landed(source: Any) -> tuple[list[str], Any]:  # noqa: ANN401
    extract = (source.config.meta or source.meta or {}).get("extract", {})
    return list(source.columns), {one: extract.get(one) for one in ("mode", "primary_key")}


def _landed_before(source: Json) -> tuple[list[str], Any]:
    meta = source["config"].get("meta") or source.get("meta") or {}
    extract = meta.get("extract", {})
    return list(source["columns"]), {one: extract.get(one) for one in ("mode", "primary_key")}


def _closure(
    manifest: Manifest, changed: Collection[str], reasons: dict[str, tuple[str, str]]
) -> list[str]:
    """All that reads what changed, nearest first; `reasons` learns by whom."""
    wanted = [one for one in changed if _is_built(manifest.nodes.get(one))]
    waiting = deque(wanted)
    while waiting:
        parent = waiting.popleft()
        if manifest.nodes[parent].resource_type == "snapshot" and reasons[parent][0] != "new":
            continue  # its rows change after the publish
        for child in manifest.child_map.get(parent, []):
            if child not in reasons and _is_built(manifest.nodes.get(child)):
                reasons[child] = ("downstream", f"reads {manifest.nodes[parent].name}")
                wanted.append(child)
                waiting.append(child)
    return wanted


def _removed(
    manifest: Manifest, live: Json, columns: Mapping[tuple[str, str], Any]
) -> Iterable[Removed]:
    here = {(n.schema, n.alias) for n in manifest.nodes.values() if _is_built(n)}
    for unique_id, node in live["nodes"].items():
        place = (node.get("schema"), node.get("alias"))
        is_relation = node["resource_type"] in ("model", "seed") and place in columns
        if is_relation and place not in here:
            readers = tuple(
                exposure["name"]
                for exposure in live["exposures"].values()
                if unique_id in exposure["depends_on"]["nodes"]
            )
            yield Removed(node["name"], *place, readers)


def _history(
    node: Any,  # noqa: ANN401
    existing: Sequence[str] | None,
    rebuild: Collection[str],
    before: Json | None = None,
) -> str:
    if node.config.materialized != "incremental" or existing is None:
        return WHOLE
    keeps_history = node.config.full_refresh is False  # such as bronze, which landing outlives
    if node.name in rebuild:
        return REBUILT
    # Only what has a contract and refuses another shape can't go on from its rows.
    takes_columns = node.config.on_schema_change in ("append_new_columns", "sync_all_columns")
    has_contract = node.config.contract.enforced
    now = {name: column.data_type for name, column in node.columns.items()}
    is_retyped = before is not None and any(
        name in now and now[name] != column["data_type"]
        for name, column in before["columns"].items()
    )
    same_shape = set(now) == set(existing) and not is_retyped
    return COPIED if keeps_history or takes_columns or not has_contract or same_shape else REBUILT


def _to_rebuild(manifest: Manifest, rebuild: Iterable[str]) -> Iterator[str]:
    for name in rebuild:
        node = next((n for n in manifest.nodes.values() if n.name == name and _is_built(n)), None)
        if node is None or node.config.materialized != "incremental":
            raise PublishError(f"--rebuild {name}: there is no incremental model of this name.")
        if node.config.full_refresh is False:
            raise PublishError(
                f"--rebuild {name}: it holds history that landing may no longer have "
                "(full_refresh: false). Change that in its config if that is what you want."
            )
        yield node.unique_id


def _ids(lines: Iterable[str]) -> list[str]:
    return [json.loads(line)["unique_id"] for line in lines]


def _is_built(node: Any) -> bool:  # noqa: ANN401
    return (
        node is not None
        and node.resource_type in BUILT
        and node.config.materialized != "ephemeral"
        and node.config.enabled
    )


def _is_test(unique_id: str) -> bool:
    return unique_id.startswith("test.")


def _kind(node: Any) -> str:  # noqa: ANN401
    return "view" if node.config.materialized == "view" else "table"
