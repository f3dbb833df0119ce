"""One command's work on one target: the connection, the ledger, and the steps in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from common import ops
from common.dbt_project import ask, invoke, target_name, variables, warehouse_credentials
from common.dbt_project import manifest as parse
from common.environment import check_environment, environment_of
from common.project import ROOT
from common.warehouse import dialect, open_warehouse
from diffing import (
    Compared,
    CompareError,
    ModelDiff,
    ThresholdError,
    breaches,
    compare,
    from_nodes,
)
from notifying.outcome import Outcome
from publishing import building, planning, pruning
from publishing.building import Result
from publishing.engine import Engine, engine_of
from publishing.errors import PublishError, StaleError
from publishing.generations import NOTHING, Generation, Ledger
from publishing.guards import Confirmation, check_plan, check_rows
from publishing.names import generation_of, next_of
from publishing.outcomes import DIRTY, PARTIAL, Outcomes, author, commit, model_changes
from publishing.planning import Plan, Wish
from publishing.publisher import Patience, Publisher
from publishing.run_lock import alone
from refreshing.state import fingerprint

BUILD = ("--log-level", "warn", "build")
# They are about code, and have run before it is deployed.
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


@dataclass
class Session:
    """A target, its warehouse and its ledger."""

    target: str | None
    name: str
    target_schema: str
    engine: Engine
    ledger: Ledger
    outcomes: Outcomes
    say: Callable[[str], None] = click.echo
    is_recording: bool = False  # it is live, and that is being written down
    _manifest: Any = None

    @classmethod
    @contextmanager
    def open(cls, target: str | None, manifest: Any = None) -> Iterator[Session]:  # noqa: ANN401
        """Connects; nothing is written to a database of another environment than the target's."""
        name, schema = target_name(target), warehouse_credentials(target).schema
        with closing(open_warehouse(target)) as connection:
            check_environment(connection, name)
            ledger = Ledger(connection, schema)
            yield cls(
                *(target, name, schema, engine_of(connection), ledger),
                outcomes=Outcomes(ledger, name, target),
                _manifest=manifest,
            )

    @property
    def manifest(self) -> Any:  # noqa: ANN401  # dbt's own
        """The project as it is here, parsed when it is first asked for."""
        if self._manifest is None:
            self._manifest = parse(self.target)
        return self._manifest

    @property
    def environment(self) -> str:
        return environment_of(self.name)

    @contextmanager
    def alone(self, wait: float) -> Iterator[None]:
        """Nobody else deploys or refreshes meanwhile; says what an earlier run left behind.

        Whatever writes does so in here.
        """
        with self.ledger.connection.cursor() as cursor:
            ops.ensure_tables(cursor)
        with alone(self.engine, self.ledger, wait, self.say):
            yield

    def live_manifest(self) -> dict[str, Any] | None:
        """The manifest.json of the live generation."""
        live = self.ledger.live()
        if live is None or live.manifest_id is None:
            return None
        found: dict[str, Any] = json.loads(self.ledger.manifest(live.manifest_id))
        return found

    # --- the steps

    def plan(self, wish: Wish) -> Plan:
        """What a deploy would build."""
        plan = planning.deploy(
            self.manifest,
            self.live_manifest(),
            self.engine.columns(building.layers(self.manifest)),
            self.ledger.live_number(),
            wish,
            self.target,
        )
        with _comparing():  # limits that can't be read are told now, not after the build
            list(self._compared(plan, {}, {}))
        return replace(plan, project=fingerprint(ROOT))

    def waits(self, plan: Plan, wish: Wish) -> bool:
        """Whether just this was built already, and only its publish failed.

        All of it must still be in next: a table that is rebuilt in its place takes along the views
        that read it.
        """
        waiting = self.ledger.built()
        if waiting is None or waiting.code_version != _version(wish):
            return False
        if self._plan_of(waiting) != plan:
            return False
        built = {(next_of(one.schema), one.identifier) for one in plan.builds}
        return built <= self.engine.kinds({schema for schema, _ in built}).keys()

    def plan_refresh(self, selection: Sequence[str]) -> Plan:
        """What a refresh would publish of what these arguments of dbt select."""
        lines = ask(self.manifest, *selection, "--resource-type", "model", target=self.target)
        return planning.refresh(
            self.manifest,
            [json.loads(line)["unique_id"] for line in lines],
            self.engine.columns(building.layers(self.manifest)),
            self.ledger.live_number(),
        )

    def build(self, plan: Plan, wish: Wish, *, unit_tests: bool = False) -> Result:
        """Builds a plan, and tests it; with the unit tests of its models, if asked for."""
        names = [*(one.name for one in plan.builds), *plan.tests]
        left_out = () if unit_tests else WITHOUT_UNIT_TESTS
        # None if all is removals.
        command = (*BUILD, *left_out, "--select", *names) if names else None
        number = self._begin("deploy", plan, self._store_manifest(plan, wish), _version(wish))
        return self._build(number, plan, command)

    def refresh(self, plan: Plan, command: Sequence[str]) -> Result:
        """Builds what a refresh selected, gold in next; the code is the live generation's."""
        live = self.ledger.live()
        of_live = (live.manifest_id, live.code_version) if live else (None, None)
        number = self._begin("refresh", plan, *of_live)
        return self._build(number, plan, command, again=True)

    def _begin(
        self, kind: str, plan: Plan, manifest_id: str | None, code_version: str | None
    ) -> int:
        for waiting in self.ledger.waiting():
            self.ledger.mark_failed(waiting.number, "another build came before its publish")
        return self.ledger.begin(
            kind,
            plan.base,
            manifest_id=manifest_id,
            code_version=code_version,
            author=author(),
            plan=plan.to_json(),
        )

    def diff(self, *, values: bool = False) -> list[ModelDiff]:
        """How the models of the build that waits differ from live."""
        build = self._built()
        plan = self._plan_of(build)
        before = (self.live_manifest() or {}).get("nodes", {})
        kinds = self.engine.kinds({one.schema for one in plan.builds})
        with _comparing():
            return [
                compare(self.ledger.connection, one, values=values)
                for one in self._compared(plan, kinds, before)
            ]

    def publish(
        self,
        patience: Patience,
        confirmation: Confirmation,
        diffs: Sequence[ModelDiff] | None = None,
    ) -> Outcome:
        """Makes the build that waits live; nothing in the way is overlooked.

        `diffs` are its own, if they are known already.
        """
        build = self._built()
        plan = self._plan_of(build)
        live = self.ledger.live_number()
        record = ops.Publish(
            *(self.environment, "publish", build.number, build.code_version, len(plan.builds))
        )
        with ops.recorded_publish(lambda: open_warehouse(self.target), record):
            try:
                if build.base != live:
                    raise StaleError(
                        f"Generation {build.number} was built upon {build.base}, and {live} is "
                        "live by now. Build it again."
                    )
                check_plan(plan, self.environment, confirmation)
                if diffs is None:
                    diffs = self.diff() if build.kind == "deploy" else []
                beyond = [one for diff in diffs for one in breaches(diff)]
                check_rows(
                    *(self.engine, self.manifest, plan, beyond),
                    *(self.environment, confirmation),
                )
                self._check_refusals(plan)
                if confirmation.words():
                    self.ledger.note(build.number, "; ".join(confirmation.words()))
                told: dict[str, Any] = {
                    "previous": live,
                    "models": model_changes(plan, diffs),
                    "confirmations": confirmation.words(),
                    "notes": list(plan.notes),
                }
                self.outcomes.expect("publish", build.number, **told)
                published = self._publisher(patience).publish(build.number)
                self.is_recording = True
                outcome = self.outcomes.write("publish", build.number, published=published, **told)
            except PublishError as error:
                record.message = str(error)[:2000]
                self.outcomes.write("publish", build.number, reason=str(error))
                raise
        self.is_recording = False
        return outcome

    def rollback(self, to: int | None, patience: Patience) -> Outcome:
        """Makes another generation live again."""
        live = self.ledger.live()
        number = live.number if live else NOTHING
        if to is None:
            if live is None:
                raise PublishError("No generation is live here, so there is nothing to take back.")
            to = live.base
        if to == number:
            raise PublishError(f"Generation {to} is live already.")
        changes = self.ledger.changes(number)
        if to == NOTHING and not any(change.replaced for change in changes):
            raise PublishError(f"Generation {number} is the first: nothing was there before it.")
        record = ops.Publish(self.environment, "rollback", to, commit(), len(changes))
        with ops.recorded_publish(lambda: open_warehouse(self.target), record):
            try:
                self.outcomes.expect("rollback", to, previous=number)
                published = self._publisher(patience).rollback(to)
                return self.outcomes.write("rollback", to, published=published, previous=number)
            except PublishError as error:
                record.message = str(error)[:2000]
                self.outcomes.write("rollback", to, reason=str(error))
                raise

    def status(self) -> list[dict[str, Any]]:
        """A row for each generation, the newest first."""
        layers, counts = self._layers(), self.ledger.counts()
        sizes = self.engine.bytes([s for one in layers for s in self.engine.schemas_like(one)])
        return [
            {
                "generation": one.number,
                "status": one.status,
                "kind": one.kind,
                "base": one.base,
                "commit": one.code_version,
                "author": one.author,
                "started_at": one.started_at,
                "published_at": one.published_at,
                "relations": counts.get(one.number, 0),
                # What it keeps aside: its relations that others have replaced.
                "kept_bytes": sum(
                    sizes.get(generation_of(layer, one.number), 0) for layer in layers
                ),
                "message": one.message,
            }
            for one in self.ledger.all()
        ]

    def prune(self, keep: int = pruning.KEPT) -> list[str]:
        """Drops the schemas of generations that are more than `keep` before the live one."""
        return pruning.prune(self.engine, self.ledger, self._layers(), keep)

    # --- the small ones

    def _build(
        self, number: int, plan: Plan, command: Sequence[str] | None, *, again: bool = False
    ) -> Result:
        return building.build(
            *(self.engine, self.ledger, number, plan, self.manifest),
            *(command, self.target, self.say),
            again=again,
        )

    def _layers(self) -> list[str]:
        return building.layers(self.manifest)

    def _plan_of(self, build: Generation) -> Plan:
        return Plan.from_json(self.ledger.plan(build.number))

    def _built(self) -> Generation:
        build = self.ledger.built()
        if build is None:
            raise PublishError("No build waits to be published: `build` makes one.")
        return build

    def record_nothing_to_do(self, wish: Wish) -> None:
        """Says that this commit is what is live, though nothing had to be built for it."""
        live, version = self.ledger.live_number(), _version(wish)
        record = ops.Publish(self.environment, "publish", live, version, 0, "nothing changed")
        with ops.recorded_publish(lambda: open_warehouse(self.target), record):
            if version and not version.endswith((DIRTY, PARTIAL)):
                self.ledger.set_code_version(live, version)  # refreshes check it out

    def is_published(self, code_version: str) -> bool:
        """Whether a commit has been live here, and was not rolled back."""
        live = {one.number for one in self.ledger.history()}
        if not live:
            return False
        with self.ledger.connection.cursor() as cursor:
            dialect(self.ledger.connection).execute(
                cursor,
                "select generation from ops.publishes where action = 'publish' "
                "and status = 'succeeded' and environment = %s and code_version = %s",
                [self.environment, code_version],
            )
            return any(number in live for (number,) in cursor.fetchall())

    def back_up(self, folder: Path) -> None:
        """Writes what is known of the live generation: its manifest, the ledger, its relations."""
        folder.mkdir(parents=True, exist_ok=True)
        live = self.live_manifest()
        if live is not None:
            (folder / "manifest.json").write_text(json.dumps(live))
        state = {
            "generations": self.status(),
            "columns": {
                ".".join(place): columns
                for place, columns in self.engine.columns(self._layers()).items()
            },
            "views": {
                ".".join(place): text
                for place, text in self.engine.definitions(
                    [one for one, kind in self.engine.kinds(self._layers()).items()
                     if kind == "view"]
                ).items()
            },
        }  # fmt: skip
        (folder / "state.json").write_text(json.dumps(state, indent=2, default=str))

    def snapshots_left(self) -> list[str]:
        """The snapshots that read what deploys have published, and have not run since.

        Asked anew: a connection lost while it became live matters only if there are any.
        """
        here = {n.name for n in self.manifest.nodes.values() if n.resource_type == "snapshot"}
        with closing(open_warehouse(self.target)) as connection:
            found = Ledger(connection, self.target_schema).plans_with_snapshots()
        return sorted(
            here & {name for text in found.values() for name in Plan.from_json(text).snapshots}
        )

    def run_snapshots(self, told: Outcome | None = None) -> None:
        """Runs the snapshots that are left, in their place. Raises PublishError if one fails.

        The outcome that was told says so if it ends before they have.
        """
        left = self.snapshots_left()
        if not left:
            return
        names = ", ".join(left)
        self.say(f"Running in their place: {names}")
        why = f"These snapshots did not run: {names}. The next deploy or refresh runs them."
        if told:
            self.outcomes.save(replace(told, reason=why))
        plans = self.ledger.plans_with_snapshots()
        command = ("--log-level", "warn", "snapshot", "--select", *left)
        if not invoke(self.manifest, *command, target=self.target):
            raise PublishError(why)
        for number, text in plans.items():
            self.ledger.set_plan(number, replace(Plan.from_json(text), snapshots=()).to_json())
        if told:
            self.outcomes.save(told)

    def _publisher(self, patience: Patience) -> Publisher:
        return Publisher(lambda: open_warehouse(self.target), self.target_schema, patience)

    def _store_manifest(self, plan: Plan, wish: Wish) -> str:
        current = self.manifest.writable_manifest().to_dict(omit_none=False)
        current[planning.VARS] = variables()
        kept = planning.manifest_of(current, self.live_manifest(), plan, wish)
        return self.ledger.store_manifest(json.dumps(kept, default=str).encode())

    def _compared(
        self, plan: Plan, kinds: dict[tuple[str, str], str], before: Mapping[str, Any]
    ) -> Iterator[Compared]:
        for one in plan.builds:
            node = self.manifest.nodes.get(one.unique_id)
            if node is not None and planning.is_gold(node):
                live = (one.schema, one.identifier)
                there = live if live in kinds else None
                # As it was, too: a column that was personal stays out of sight.
                was = before.get(one.unique_id)
                yield from_nodes(node, there, (next_of(one.schema), one.identifier), was=was)

    def _check_refusals(self, plan: Plan) -> None:
        places = [(one.schema, one.identifier) for one in plan.builds]
        places += [(one.schema, one.identifier) for one in plan.removed]
        refused = self.engine.refusals(places)
        if refused:
            raise PublishError("Not published: " + " ".join(refused))


def _version(wish: Wish) -> str | None:
    """What is recorded as built; a commit alone only if all of it is live then."""
    version = commit()
    return version + PARTIAL if version and wish.select else version


@contextmanager
def _comparing() -> Iterator[None]:
    try:
        yield
    except (CompareError, ThresholdError) as error:
        raise PublishError(str(error)) from None
