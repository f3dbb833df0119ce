"""What an engine can do for a publish: postgres/engine.py and sqlserver/engine.py do it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from common.warehouse import dialect
from publishing.moves import Move

Place = tuple[str, str]  # schema and name


class Engine(Protocol):
    """The statements of a publish, on one connection that commits each of them."""

    connection: Any

    def literal(self, value: object) -> str:
        """A quoted constant."""

    def columns(self, schemas: Iterable[str]) -> dict[Place, list[str]]:
        """The columns of every table and view in these schemas, in order."""

    def definitions(self, views: Iterable[Place]) -> dict[Place, str]:
        """The statements that make a live view again, if it needs any; with its rights."""

    def types(self, places: Iterable[Place]) -> dict[Place, dict[str, str]]:
        """The columns of relations, with their types; of those that are there."""

    def kinds(self, schemas: Iterable[str]) -> dict[Place, str]:
        """Table or view, of every relation in these schemas; another word if it can't be moved."""

    def has_rows(self, place: Place) -> bool:
        """Whether there is a row in a relation."""

    def bytes(self, schemas: Iterable[str]) -> dict[str, int]:
        """What the tables in each of these schemas take on disk, with their indexes."""

    def schemas_like(self, schema: str) -> list[str]:
        """The schemas of a layer's generations, and its next one."""

    def make_schema(self, schema: str) -> None:
        """Makes a schema, if it is missing, that readers can't look into."""

    def drop_schemas(self, schemas: Sequence[str]) -> None:
        """Drops schemas with all that is in them, and nothing else.

        Raises PublishError if something elsewhere depends on what is there.
        """

    def copy(self, live: Place, next_: Place) -> int:
        """Copies a table with all that hangs on it; returns the number of rows."""

    def try_lock(self, name: str) -> bool:
        """Takes a lock that ends with this session; whether nobody else has it."""

    def unlock(self, name: str) -> None:
        """Gives the lock back."""

    def lock_holder(self, name: str) -> str:
        """Who has a lock, in words."""

    def old_readers(self, built_at: Any) -> list[str]:  # noqa: ANN401
        """Transactions that see the database as it was before a build ended, in words."""

    def blockers(self, places: Iterable[Place]) -> list[str]:
        """Sessions that hold a lock on one of these relations, in words."""

    def cancel(self, places: Iterable[Place]) -> None:
        """Ends the sessions that hold a lock on one of these relations."""

    def carry(self, live: Place | None, next_: Place, live_schema: str, by_dbt: bool) -> None:
        """Gives a relation in next what its live one has; `by_dbt` if dbt made its grants."""

    def refusals(self, places: Sequence[Place]) -> list[str]:
        """What hangs on live relations and can't follow, in words."""

    def outside_views(self, places: Iterable[Place]) -> Sequence[Any]:
        """Views that stay where they are and read one of these relations."""

    def unreadable(self, views: Iterable[Any], columns: dict[Place, dict[str, str]]) -> list[str]:
        """What these views read that is not there any more, in words."""

    def move(
        self,
        moves: Sequence[Move],
        views: Sequence[Any],
        ledger: Sequence[str],
        *,
        made: Sequence[str],
        target_schema: str,
        live: int,
        patience: int | None,
    ) -> None:
        """All moves at once or none, and the views that `made` has statements for.

        Raises BusyError or StaleError. `patience` is in milliseconds.
        """


def engine_of(connection: Any) -> Engine:  # noqa: ANN401
    """The engine of a DB-API connection that commits each statement."""
    if dialect(connection).name == "postgres":
        from publishing.postgres.engine import Postgres

        return Postgres(connection)
    from publishing.sqlserver.engine import SqlServer

    return SqlServer(connection)
