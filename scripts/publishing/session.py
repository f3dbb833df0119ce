"""One command's work on one target: the connection, the ledger, and the steps in order."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from common import ops
from common.dbt_project import ask, invoke, target_name, warehouse_credentials
from common.dbt_project import manifest as parse
from common.environment import check_environment, environment_of
from common.project import ROOT, TARGET
from common.warehouse import dialect, open_warehouse
from diffing import Compared, ModelDiff, breaches, compare, from_nodes
from notifying.outcome import FailedTest, ModelChange, Outcome
from publishing import building, planning
from publishing.building import Result
from publishing.engine import Engine, engine_of
from publishing.errors import PublishError, StaleError
from publishing.generations import NOTHING, Generation, Ledger
from publishing.names import generation_of, next_of
from publishing.planning import Plan, Wish
from publishing.publisher import Patience, Published, Publisher
from publishing.run_lock import run_lock
from refreshing.state import fingerprint

# Unit tests are about code, and have run before it is deployed.
BUILD = ("--log-level", "warn", "build", "--exclude-resource-type", "unit_test")
# What a publish asks a confirmation for, on targets that have readers.
REBUILD, REMOVAL, DIFF = "rebuild", "removal", "diff"
CONFIRMABLE = (REBUILD, REMOVAL, DIFF)
# Where a diff over its limit, a rebuild or a removal must be confirmed.
GUARDED = ("prod", "staging")


@dataclass(frozen=True)
class Confirmation:
    """What somebody takes upon himself, and why."""

    things: frozenset[str] = frozenset()
    why: str = ""
    notes: tuple[str, ...] = ()  # whatever else belongs to the log

    def words(self) -> list[str]:
        return [*(f"{thing} confirmed: {self.why}" for thing in sorted(self.things)), *self.notes]


@dataclass
class Session:
    """A target, its warehouse and its ledger."""

    target: str | None
    name: str
    target_schema: str
    engine: Engine
    ledger: Ledger
    started: float = field(default_factory=time.monotonic)
    say: Callable[[str], None] = click.echo
    _manifest: Any = None

    @classmethod
    @contextmanager
    def open(cls, target: str | None, manifest: Any = None) -> Iterator[Session]:  # noqa: ANN401
        """Connects; nothing is written to a database of another environment than the target's."""
        name, schema = target_name(target), warehouse_credentials(target).schema
        with closing(open_warehouse(target)) as connection:
            check_environment(connection, name)
            with connection.cursor() as cursor:
                ops.ensure_tables(cursor)
            yield cls(
                *(target, name, schema, engine_of(connection), Ledger(connection, schema)),
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
        """Nobody else deploys or refreshes meanwhile; says what an earlier run left behind."""
        with run_lock(self.engine, self.target_schema, wait):
            for left in self.ledger.interrupted():
                self.say(
                    f"Generation {left.number} was being built by {left.author or 'somebody'} when "
                    "its process ended. Live was not touched; it is built anew."
                )
                self.ledger.mark_failed(left.number, "its process ended while it was built")
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
        return replace(plan, project=fingerprint(ROOT))

    def waits(self, plan: Plan) -> bool:
        """Whether just this was built already, and only its publish failed."""
        waiting = self.ledger.built()
        return waiting is not None and Plan.from_json(waiting.plan_text) == plan

    def plan_refresh(self, selection: Sequence[str]) -> Plan:
        """What a refresh would publish of what these arguments of dbt select."""
        lines = ask(self.manifest, *selection, "--resource-type", "model", target=self.target)
        return planning.refresh(
            self.manifest,
            [json.loads(line)["unique_id"] for line in lines],
            self.engine.columns(building.layers(self.manifest)),
            self.ledger.live_number(),
        )

    def build(self, plan: Plan, wish: Wish) -> Result:
        """Builds a plan, and tests it."""
        names = [*(one.name for one in plan.builds), *plan.tests]
        command = (*BUILD, "--select", *names) if names else None  # None if all is removals
        number = self._begin("deploy", plan, self._store_manifest(plan, wish))
        return self._build(number, plan, command)

    def refresh(self, plan: Plan, command: Sequence[str]) -> Result:
        """Builds what a refresh selected, gold in next; the code is the live generation's."""
        live = self.ledger.live()
        number = self._begin("refresh", plan, live.manifest_id if live else None)
        return self._build(number, plan, command)

    def _begin(self, kind: str, plan: Plan, manifest_id: str | None) -> int:
        for waiting in self.ledger.waiting():
            self.ledger.mark_failed(waiting.number, "another build came before its publish")
        return self.ledger.begin(
            kind,
            plan.base,
            manifest_id=manifest_id,
            code_version=commit(),
            author=author(),
            plan=plan.to_json(),
        )

    def diff(self, *, values: bool = False) -> list[ModelDiff]:
        """How the models of the build that waits differ from live."""
        build = self._built()
        plan = Plan.from_json(build.plan_text)
        before = (self.live_manifest() or {}).get("nodes", {})
        kinds = self.engine.kinds({one.schema for one in plan.builds})
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
        plan = Plan.from_json(build.plan_text)
        live = self.ledger.live_number()
        record = ops.Publish(self.environment, "publish", build.number, commit(), len(plan.builds))
        with ops.recorded_publish(lambda: open_warehouse(self.target), record):
            try:
                if build.base != live:
                    raise StaleError(
                        f"Generation {build.number} was built upon {build.base}, and {live} is "
                        "live by now. Build it again."
                    )
                self.check_confirmed(plan, confirmation)
                if diffs is None:
                    diffs = self.diff() if build.kind == "deploy" else []
                over = [one for diff in diffs for one in breaches(diff)]
                self._check(DIFF, [*self._empty(plan), *over], confirmation)
                self._check_refusals(plan)
                published = self._publisher(patience).publish(build.number)
            except PublishError as error:
                record.message = str(error)[:2000]
                outcome = self._outcome("publish", build.number, reason=str(error))
                self._write(outcome)
                raise
        if confirmation.words():
            self.ledger.note(build.number, "; ".join(confirmation.words()))
        outcome = self._outcome(
            "publish",
            build.number,
            published=published,
            previous=live,
            models=_model_changes(plan, diffs),
            confirmations=confirmation.words(),
            notes=list(plan.notes),
        )
        self._write(outcome)
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
                published = self._publisher(patience).rollback(to)
            except PublishError as error:
                record.message = str(error)[:2000]
                self._write(self._outcome("rollback", to, reason=str(error)))
                raise
        outcome = self._outcome("rollback", to, published=published, previous=number)
        self._write(outcome)
        return outcome

    def status(self) -> list[dict[str, Any]]:
        """A row for each generation, the newest first."""
        schemas = {one for layer in self._layers() for one in self.engine.schemas_like(layer)}
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
                "relations": len(self.ledger.changes(one.number)),
                # What it keeps aside: its relations that others have replaced.
                "kept_bytes": self.engine.bytes(
                    {generation_of(layer, one.number) for layer in self._layers()} & schemas
                ),
                "message": one.message,
            }
            for one in self.ledger.all()
        ]

    def prune(self, keep: int) -> list[str]:
        """Drops the schemas of generations that are more than `keep` before the live one.

        What was rolled back is kept until a later generation is live.
        """
        known = {one.number: one for one in self.ledger.all()}
        number = self.ledger.live_number()
        if number == NOTHING:
            return []
        kept = {one for one in known if one > number and known[one].status == "rolled back"}
        for _ in range(keep + 1):
            kept.add(number)
            if number == NOTHING:
                break
            number = known[number].base
        schemas = {
            generation_of(layer, one): one
            for layer in self._layers()
            for one in (NOTHING, *known)
            if one not in kept
        }
        there = {one for layer in self._layers() for one in self.engine.schemas_like(layer)}
        dropped = sorted(there & set(schemas))
        self.engine.drop_schemas(dropped)
        for number, one in known.items():
            if number not in kept and one.status in ("retired", "rolled back"):
                self.ledger.mark_pruned(number)
        self.ledger.forget_manifests()
        return dropped

    def check_confirmed(self, plan: Plan, confirmation: Confirmation) -> None:
        """What must be confirmed can be so before it is built: it may take an hour."""
        rebuilt = [one.name for one in plan.builds if one.history == planning.REBUILT]
        self._check(REBUILD, [f"{name} is built from nothing" for name in rebuilt], confirmation)
        read = [
            f"{one.name} is removed and read by {', '.join(one.readers)}"
            for one in plan.removed
            if one.readers
        ]
        self._check(REMOVAL, read, confirmation)

    def say_failed(self, reason: str) -> Outcome:
        """The outcome of a deploy that ended before a build began."""
        outcome = self._outcome("publish", None, reason=reason)
        self._write(outcome)
        return outcome

    def outcome_of_failure(self, result: Result) -> Outcome:
        """The outcome of a build that didn't pass."""
        worst = result.failures[0]
        outcome = self._outcome(
            "publish",
            result.number,
            reason=f"{len(result.failures)} failed, first {worst.name}: {worst.message}",
            failures=[
                FailedTest(
                    name=one.name,
                    model=one.model or one.name,
                    failures=one.failures,
                    query=one.compiled or "",
                    owner=one.owner or "",
                )
                for one in result.failures
            ],
        )
        self._write(outcome)
        return outcome

    # --- the small ones

    def _build(self, number: int, plan: Plan, command: Sequence[str] | None) -> Result:
        return building.build(
            *(self.engine, self.ledger, number, plan, self.manifest),
            *(command, self.target, self.say),
        )

    def _layers(self) -> list[str]:
        return building.layers(self.manifest)

    def _built(self) -> Generation:
        build = self.ledger.built()
        if build is None:
            raise PublishError("No build waits to be published: `build` makes one.")
        return build

    def record_nothing_to_do(self) -> None:
        """Says that this commit is what is live, though nothing had to be built for it."""
        live = self.ledger.live_number()
        record = ops.Publish(self.environment, "publish", live, commit(), 0, "nothing changed")
        with ops.recorded_publish(lambda: open_warehouse(self.target), record):
            pass

    def is_published(self, code_version: str) -> bool:
        """Whether a commit has been live here."""
        with self.ledger.connection.cursor() as cursor:
            dialect(self.ledger.connection).execute(
                cursor,
                "select count(*) from ops.publishes where action = 'publish' "
                "and status = 'succeeded' and environment = %s and code_version = %s",
                [self.environment, code_version],
            )
            return bool(cursor.fetchone()[0])

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

    def run_snapshots(self, plan: Plan) -> bool:
        """Runs the snapshots that read what was published, in their place."""
        if not plan.snapshots:
            return True
        command = ("--log-level", "warn", "snapshot", "--select", *plan.snapshots)
        return invoke(self.manifest, *command, target=self.target)

    def _publisher(self, patience: Patience) -> Publisher:
        return Publisher(lambda: open_warehouse(self.target), self.target_schema, patience)

    def _store_manifest(self, plan: Plan, wish: Wish) -> str:
        current = self.manifest.writable_manifest().to_dict(omit_none=False)
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

    def _empty(self, plan: Plan) -> list[str]:
        """The models of gold that have no rows in next, and have some in live."""
        there = self.engine.kinds({one.schema for one in plan.builds})
        found = []
        for one in plan.builds:
            live = (one.schema, one.identifier)
            if planning.is_gold(self.manifest.nodes[one.unique_id]) and live in there:
                next_ = (next_of(one.schema), one.identifier)
                if self.engine.has_rows(live) and not self.engine.has_rows(next_):
                    found.append(f"{one.name} is empty, and is not in live")
        return found

    def _check(self, thing: str, found: Sequence[str], confirmation: Confirmation) -> None:
        if found and self.environment in GUARDED and thing not in confirmation.things:
            raise PublishError(
                f"Not published: {'; '.join(found)}. If that is meant, run again with "
                f'--confirm {thing} --why "…".'
            )

    def _check_refusals(self, plan: Plan) -> None:
        places = [(one.schema, one.identifier) for one in plan.builds]
        places += [(one.schema, one.identifier) for one in plan.removed]
        refused = self.engine.refusals(places)
        if refused:
            raise PublishError("Not published: " + " ".join(refused))

    def _outcome(
        self,
        action: str,
        generation: int | None,
        *,
        published: Published | None = None,
        previous: int | None = None,
        **told: Any,  # noqa: ANN401
    ) -> Outcome:
        live = self.ledger.live_number()
        back = f" --target {self.target}" if self.target else ""
        return Outcome(
            action=action,  # type: ignore[arg-type]
            succeeded=published is not None,
            environment=self.environment,
            target=self.name,
            generation=generation,
            live_generation=live or None,
            previous_generation=previous,
            commit=commit(),
            author=author(),
            publish_milliseconds=round(published.milliseconds, 1) if published else None,
            lock_attempts=published.attempts if published else None,
            seconds=round(time.monotonic() - self.started, 1),
            rollback_command=(
                f".venv/bin/python scripts/blue_green.py rollback{back} --to {previous}"
                if published and previous
                else None
            ),
            run_url=run_url(),
            **told,
        )

    def _write(self, outcome: Outcome) -> None:
        outcome.to_json(Path(os.environ.get("DBT_TARGET_PATH", TARGET)) / "outcome.json")


def _model_changes(plan: Plan, diffs: Sequence[ModelDiff]) -> list[ModelChange]:
    rows = {diff.name: diff for diff in diffs}
    words = {"new": "new", "changed": "changed", "downstream": "rebuilt", "refreshed": "rebuilt"}
    return [
        *(
            ModelChange(
                one.name,
                words[one.change],  # type: ignore[arg-type]
                rows_live=rows[one.name].rows_live if one.name in rows else None,
                rows_next=rows[one.name].rows_next if one.name in rows else None,
            )
            for one in plan.builds
        ),
        *(ModelChange(one.name, "removed") for one in plan.removed),
    ]


def commit() -> str | None:
    """The commit of the project, as the job says or as git does."""
    given = os.environ.get("MEDALLION_COMMIT") or os.environ.get("GITHUB_SHA")
    return given or _git("rev-parse", "HEAD")


def author() -> str | None:
    """Who does this: the actor of the job, or the user of the machine."""
    return os.environ.get("GITHUB_ACTOR") or getpass.getuser()


def run_url() -> str | None:
    """The page of the job, where there is one."""
    parts = [os.environ.get(f"GITHUB_{one}") for one in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
