"""A warehouse with a layer `gold` whose generations are built by hand: no dbt, so it is quick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from common import ops, postgres
from databases import Database
from publishing.engine import Engine, engine_of
from publishing.generations import Change, Ledger
from publishing.names import next_of
from publishing.publisher import Patience, Published, Publisher, changes_of

SCHEMA = "test"  # the target's schema, by which generations are numbered
QUICK = Patience(seconds=2)


@dataclass
class Shelf:
    """Tables and views of gold, each with the name of the version that they are of."""

    database: Database

    def connect(self) -> Any:  # noqa: ANN401
        return postgres.connect(self.database.url, "medallion")

    @contextmanager
    def engine(self) -> Iterator[tuple[Engine, Ledger]]:
        with closing(self.connect()) as connection:
            yield engine_of(connection), Ledger(connection, SCHEMA)

    def prepare(self) -> None:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            ops.ensure_tables(cursor)
            cursor.execute("create schema gold")

    def build(
        self,
        relations: Mapping[str, str],
        *,
        removed: tuple[str, ...] = (),
        base: int | None = None,
        carry: bool = False,
    ) -> int:
        """Builds relations into next from what comes after `create` and their name: `as select 1`
        makes a table, `view as select 1` a view. Returns the number of the generation.
        """
        with self.engine() as (engine, ledger):
            engine.drop_schemas([next_of("gold")])
            engine.make_schema(next_of("gold"))
            live = ledger.live_number() if base is None else base
            number = ledger.begin(
                "deploy", live, manifest_id=None, code_version="abc", author="test", plan={}
            )
            kinds = {}
            for name, text in relations.items():
                is_view = text.startswith("view ")
                kinds[name] = "view" if is_view else "table"
                body = text.removeprefix("view ")
                self.database.execute(f'create {kinds[name]} gold__next."{name}" {body}')
            changes: list[Change] = changes_of(
                engine,
                [("gold", name, kind) for name, kind in kinds.items()],
                [("gold", name) for name in removed],
            )
            ledger.record_changes(number, changes)
            if carry:
                there = engine.kinds(["gold"])
                for name in relations:
                    live_place = ("gold", name)
                    engine.carry(
                        live_place if live_place in there else None,
                        (next_of("gold"), name),
                        "gold",
                        False,
                    )
            ledger.mark_built(number)
            return number

    def publish(self, number: int, patience: Patience = QUICK) -> Published:
        return Publisher(self.connect, SCHEMA, patience).publish(number)

    def deploy(
        self,
        relations: Mapping[str, str],
        patience: Patience = QUICK,
        **options: Any,  # noqa: ANN401
    ) -> int:
        """Builds and publishes; returns the number of the generation."""
        number = self.build(relations, **options)
        self.publish(number, patience)
        return number

    def rollback(self, to: int, patience: Patience = QUICK) -> Published:
        return Publisher(self.connect, SCHEMA, patience).rollback(to)

    def live(self) -> int:
        with self.engine() as (_, ledger):
            return ledger.live_number()

    def statuses(self) -> dict[int, str]:
        with self.engine() as (_, ledger):
            return {one.number: one.status for one in ledger.all()}

    def value(self, relation: str) -> Any:  # noqa: ANN401
        """The only value of a relation, such as `gold.a`."""
        return self.database.scalar(f"select * from {relation}")
