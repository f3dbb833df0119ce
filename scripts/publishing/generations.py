"""The ledger of generations: `ops.generations` and its sisters, one numbering per target schema.

A generation is what one publish put in the place of what. Its relations, when another generation
has replaced them, lie in schemas that are named after it: `gold__g41`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.warehouse import dialect

Connection = Any  # a DB-API connection that commits each statement

# What lies in the schemas before the first publish.
NOTHING = 0


@dataclass(frozen=True)
class Generation:
    """A row of the ledger. `base` is the generation that it was built upon."""

    number: int
    base: int
    kind: str
    status: str
    manifest_id: str | None
    code_version: str | None
    author: str | None
    message: str | None
    started_at: datetime
    built_at: datetime | None
    published_at: datetime | None


@dataclass(frozen=True, order=True)
class Change:
    """A relation that a generation replaces. The kinds are table or view, None if there is none.

    `definition` makes a replaced view again: dbt drops views that read a table which it rebuilds,
    those that a generation keeps among them.
    """

    schema: str
    name: str
    replaced: str | None
    published: str | None
    definition: str | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


_COLUMNS = (
    "generation, coalesce(base, 0), kind, status, manifest_id, code_version, author, message, "
    "started_at, built_at, published_at"
)


class Ledger:
    """The generations of one target schema."""

    def __init__(self, connection: Connection, target_schema: str) -> None:
        self.connection, self.target_schema = connection, target_schema
        self._dialect = dialect(connection)

    def all(self) -> list[Generation]:
        """Every generation, the newest first."""
        return self._select("order by generation desc")

    def live(self) -> Generation | None:
        """The generation that readers see; None before the first publish."""
        return next(iter(self._select("and status = 'live'")), None)

    def live_number(self) -> int:
        live = self.live()
        return live.number if live else NOTHING

    def history(self) -> Iterator[Generation]:
        """Live, what it was built upon, and so on: all that was live and is not taken back."""
        known, number = {one.number: one for one in self.all()}, self.live_number()
        while number in known:
            yield known[number]
            number = known[number].base

    def built(self) -> Generation | None:
        """The build that waits to be published."""
        return next(iter(self.waiting()), None)

    def waiting(self) -> list[Generation]:
        """The builds that were not published, the newest first."""
        return self._select("and status = 'built' order by generation desc")

    def get(self, number: int) -> Generation | None:
        return next(iter(self._select("and generation = %s", number)), None)

    def begin(
        self,
        kind: str,
        base: int,
        *,
        manifest_id: str | None,
        code_version: str | None,
        author: str | None,
        plan: object,
    ) -> int:
        """Records a build as under way; returns its number."""
        with self.connection.cursor() as cursor:
            spelled = self._dialect
            values = [self.target_schema, self.target_schema, base, kind]
            values += [manifest_id, code_version, author, json.dumps(plan)]
            spelled.execute(
                cursor,
                "insert into ops.generations (target_schema, generation, base, kind, manifest_id, "
                f"code_version, author, plan_text, status) {spelled.output.format('generation')} "
                "select %s, coalesce(max(generation), 0) + 1, %s, %s, %s, %s, %s, %s, 'building' "
                "from ops.generations where target_schema = %s "
                f"{spelled.returning.format('generation')}",
                [values[0], *values[2:], values[1]],
            )
            return int(cursor.fetchone()[0])

    def record_changes(self, number: int, changes: Sequence[Change]) -> None:
        """Says what the generation will replace, when it is built."""
        with self.connection.cursor() as cursor:
            for change in changes:
                self._dialect.execute(
                    cursor,
                    "insert into ops.generation_relations (target_schema, generation, schema_name, "
                    "relation_name, replaced_kind, published_kind, definition) "
                    "values (%s, %s, %s, %s, %s, %s, %s)",
                    [
                        *(self.target_schema, number, change.schema, change.name),
                        *(change.replaced, change.published, change.definition),
                    ],
                )

    def changes(self, number: int) -> list[Change]:
        """What a generation replaces, in the order of its names."""
        rows = self._query(
            "select schema_name, relation_name, replaced_kind, published_kind, definition "
            "from ops.generation_relations where target_schema = %s and generation = %s",
            self.target_schema,
            number,
        )
        return sorted((Change(*row) for row in rows), key=str)

    def counts(self) -> dict[int, int]:
        """How many relations each generation replaces."""
        if not self._is_there():
            return {}
        rows = self._query(
            "select generation, count(*) from ops.generation_relations "
            "where target_schema = %s group by generation",
            self.target_schema,
        )
        return {int(number): int(count) for number, count in rows}

    def plan(self, number: int) -> str:
        """The plan that a generation was built by, as JSON."""
        return self._plans("generation = %s", number)[number]

    def plans_with_snapshots(self) -> dict[int, str]:
        """By generation, the plans of what is live in which snapshots are left to run."""
        if not self._is_there():
            return {}
        found = self._plans("kind = 'deploy' and plan_text not like %s", '%"snapshots": []%')
        return {one.number: found[one.number] for one in self.history() if one.number in found}

    def set_plan(self, number: int, plan: object) -> None:
        """Of a live generation: what is left to do of it."""
        self._update("plan_text = %s", number, json.dumps(plan))

    def mark_built(self, number: int) -> None:
        self._update(f"status = 'built', built_at = {self._dialect.now}", number)

    def mark_failed(self, number: int, why: str) -> None:
        """Unless it was published after all."""
        self._update(
            "message = case when status in ('building', 'built') then %s else message end, "
            "status = case when status in ('building', 'built') then 'failed' else status end",
            number,
            why[:2000],
        )

    def mark_pruned(self, number: int) -> None:
        self._update("status = 'pruned'", number)

    def note(self, number: int, text: str) -> None:
        """What was confirmed, or otherwise belongs to the log of a generation."""
        self._update("message = %s", number, text[:2000])

    def set_code_version(self, number: int, commit: str) -> None:
        """Of a later commit, for which nothing had to be built."""
        self._update("code_version = %s", number, commit)

    def wait(self, milliseconds: int | None = None) -> None:
        """Returns when no publish is under way; raises if one still is after so long."""
        with self.connection.cursor() as cursor:
            if milliseconds is not None:
                cursor.execute(self._dialect.lock_timeout.format(milliseconds))
            self._dialect.execute(
                cursor,
                "update ops.generations set message = message where target_schema = %s",
                [self.target_schema],
            )

    def interrupted(self) -> list[Generation]:
        """Builds whose process ended without a word. Ask only while holding the run lock."""
        return self._select("and status = 'building' order by generation")

    def store_manifest(self, content: bytes) -> str:
        """Keeps a manifest.json once; returns the id by which generations refer to it."""
        manifest_id = hashlib.sha256(content).hexdigest()
        known = self._query("select 1 from ops.manifests where manifest_id = %s", manifest_id)
        if not known:
            with self.connection.cursor() as cursor:
                self._dialect.execute(
                    cursor,
                    "insert into ops.manifests (manifest_id, content) values (%s, %s)",
                    [manifest_id, gzip.compress(content, mtime=0)],
                )
        return manifest_id

    def manifest(self, manifest_id: str) -> bytes:
        """A manifest.json that was kept."""
        ((content,),) = self._query(
            "select content from ops.manifests where manifest_id = %s", manifest_id
        )
        return gzip.decompress(bytes(content))

    def forget_manifests(self) -> None:
        """Drops the manifests that no generation refers to any more."""
        with self.connection.cursor() as cursor:
            self._dialect.execute(
                cursor,
                "update ops.generations set manifest_id = null "
                "where target_schema = %s and status in ('pruned', 'failed')",
                [self.target_schema],
            )
            cursor.execute(
                "delete from ops.manifests where not exists (select 1 from ops.generations "
                "where ops.generations.manifest_id = ops.manifests.manifest_id)"
            )

    def _select(self, condition: str, *values: object) -> list[Generation]:
        if not self._is_there():
            return []
        rows = self._query(
            f"select {_COLUMNS} from ops.generations where target_schema = %s {condition}",
            self.target_schema,
            *values,
        )
        return [Generation(*row) for row in rows]

    def _plans(self, condition: str, *values: object) -> dict[int, str]:
        rows = self._query(
            "select generation, plan_text from ops.generations "
            f"where target_schema = %s and {condition}",
            self.target_schema,
            *values,
        )
        return {int(number): str(text) for number, text in rows}

    def _is_there(self) -> bool:
        """Whether anything was ever written here: who only reads makes no tables."""
        ((found,),) = self._query(f"select {self._dialect.find}('ops.generations')")
        return found is not None

    def _update(self, assignment: str, number: int, *values: object) -> None:
        with self.connection.cursor() as cursor:
            self._dialect.execute(
                cursor,
                f"update ops.generations set {assignment} "
                "where target_schema = %s and generation = %s",
                [*values, self.target_schema, number],
            )

    def _query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            self._dialect.execute(cursor, statement, values)
            return list(map(tuple, cursor.fetchall()))
