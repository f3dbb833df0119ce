"""Builds a plan into the next schemas, beside live, with dbt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from common.dbt_project import run
from common.warehouse import errors
from notifying.masking import without_data
from publishing.engine import Engine
from publishing.generations import Ledger
from publishing.names import next_of
from publishing.planning import BUILT, COPIED, Plan, Planned
from publishing.publisher import changes_of

Manifest = Any  # dbt's own
Say = Callable[[str], None]


@dataclass(frozen=True)
class Failure:
    """A node that did not succeed; `failures` are the rows that a test found."""

    unique_id: str
    name: str
    kind: str
    model: str | None
    owner: str | None
    status: str
    failures: int | None
    message: str
    compiled: str | None


@dataclass(frozen=True)
class Result:
    """How a build ended."""

    number: int
    failures: tuple[Failure, ...]

    @property
    def succeeded(self) -> bool:
        return not self.failures


def layers(manifest: Manifest) -> list[str]:
    """The live schemas of all that dbt builds."""
    return sorted({n.schema for n in manifest.nodes.values() if n.resource_type in BUILT})


def build(
    engine: Engine,
    ledger: Ledger,
    number: int,
    plan: Plan,
    manifest: Manifest,
    command: Sequence[str] | None,
    target: str | None,
    say: Say,
    *,
    again: bool = False,
) -> Result:
    """Builds and tests a plan as the generation `number`, by this command of dbt, if there is one.

    All that is not in the plan is read where it is live. With `again`, what the database did not do
    the first time is tried once more, unless a test failed. Raises what the database or dbt raises;
    the generation is failed then, too.
    """
    try:
        _prepare(engine, layers(manifest), plan.builds, say)
        ledger.record_changes(
            number,
            changes_of(
                engine,
                [(one.schema, one.identifier, one.kind) for one in plan.builds],
                [(one.schema, one.identifier) for one in plan.removed],
            ),
        )
        found: list[Failure] = []
        if command:
            with retargeted(manifest, plan.builds):
                found = _run(manifest, command, target)
                if again and found and not any(one.status == "fail" for one in found):
                    say(f"  again, because of {_worst(found).name}: {_worst(found).message}")
                    found = _run(manifest, _only(command, found), target)
        # What was skipped was so because of the others.
        failures = tuple([one for one in found if one.status != "skipped"] or found)
        if failures:
            ledger.mark_failed(number, f"{failures[0].name}: {failures[0].status}")
            return Result(number, failures)
        _carry(engine, plan.builds, manifest)
        ledger.mark_built(number)
        return Result(number, ())
    except BaseException as error:
        with suppress(*errors()):  # such as a connection that is lost: the next run finds it
            ledger.mark_failed(number, str(error) or type(error).__name__)
        raise


def _run(manifest: Manifest, command: Sequence[str], target: str | None) -> list[Failure]:
    result = run(manifest, *command, target=target)
    return list(_failures(result.result.results, manifest))


def _worst(found: Sequence[Failure]) -> Failure:
    return next((one for one in found if one.status != "skipped"), found[0])


def _only(command: Sequence[str], found: Sequence[Failure]) -> list[str]:
    """The same command for what failed and what was skipped because of it."""
    options = list(command)
    if "--select" in options:
        at = options.index("--select")
        selected = list(takewhile(lambda one: not one.startswith("--"), options[at + 1 :]))
        del options[at : at + 1 + len(selected)]
    return [*options, "--select", *(one.name for one in found)]


@contextmanager
def retargeted(manifest: Manifest, builds: Iterable[Planned]) -> Iterator[None]:
    """Dbt builds these into next, and all that reads them reads them there; the rest stays live.

    No deferral: the manifest itself says where each relation is.
    """
    nodes = [manifest.nodes[one.unique_id] for one in builds]
    before = [(node, node.schema, node.relation_name) for node in nodes]
    try:
        for node in nodes:
            schema, node.schema = node.schema, next_of(node.schema)
            # The last of them: the database may have the same name, and so may the table.
            before_it, _, after = node.relation_name.rpartition(f'"{schema}"."')
            node.relation_name = f'{before_it}"{node.schema}"."{after}'
        yield
    finally:
        for node, schema, name in before:
            node.schema, node.relation_name = schema, name


def _prepare(engine: Engine, schemas: Iterable[str], builds: Iterable[Planned], say: Say) -> None:
    """Empty next schemas, with the rows in them that incremental models go on from."""
    engine.drop_schemas([next_of(schema) for schema in schemas])
    for schema in sorted({one.schema for one in builds}):
        engine.make_schema(next_of(schema))
    for one in builds:
        if one.history == COPIED:
            live = (one.schema, one.identifier)
            rows = engine.copy(live, (next_of(one.schema), one.identifier))
            say(f"  copied {rows:,} rows of {one.schema}.{one.identifier}")


def _carry(engine: Engine, builds: Iterable[Planned], manifest: Manifest) -> None:
    builds = list(builds)
    kinds = engine.kinds({one.schema for one in builds})
    for one in builds:
        place = (one.schema, one.identifier)
        by_dbt = bool(manifest.nodes[one.unique_id].config.grants)
        live = place if place in kinds else None
        engine.carry(live, (next_of(one.schema), one.identifier), one.schema, by_dbt)


def _failures(results: Iterable[Any], manifest: Manifest) -> Iterator[Failure]:
    for result in results:
        status = str(result.status)
        if status in ("success", "pass", "warn", "no-op", "partial success"):
            continue
        node = result.node
        model = manifest.nodes.get(getattr(node, "attached_node", None) or "")
        group = getattr(node.config, "group", None) or (model.config.group if model else None)
        yield Failure(
            unique_id=node.unique_id,
            name=node.name,
            kind=str(node.resource_type),
            model=model.name if model else None,
            owner=group,
            status=status,
            failures=getattr(result, "failures", None),
            message=without_data(result.message or ""),
            compiled=getattr(node, "compiled_path", None),
        )
