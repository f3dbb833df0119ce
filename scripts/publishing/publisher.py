"""Makes a generation live, or takes one back: tried again until nobody is in the way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from common.warehouse import dialect, errors
from publishing import moves
from publishing.engine import Engine, engine_of
from publishing.errors import BusyError, PublishError, StaleError
from publishing.generations import NOTHING, Change, Ledger
from publishing.moves import Move
from publishing.names import is_live

Connect = Callable[[], Any]  # opens a DB-API connection that commits each statement

# How long a lock is waited for now and then, in milliseconds: readers queue behind it for so long.
# Under Postgres' deadlock_timeout of a second, at which it begins to cancel.
PATIENCE = 30
_EVERY = 10
_PAUSE_SECONDS = (0.02, 0.12)
_RECONNECT_SECONDS = 60


@dataclass(frozen=True)
class Published:
    """How it went: what the move itself took, after how many attempts."""

    milliseconds: float
    attempts: int


@dataclass(frozen=True)
class Patience:
    """For how many seconds to try, and whether to end the sessions that are in the way then."""

    seconds: float = 60
    cancel: bool = False


class Publisher:
    """Publishes and rolls back the generations of one target schema."""

    def __init__(self, connect: Connect, target_schema: str, patience: Patience) -> None:
        self.connect, self.target_schema, self.patience = connect, target_schema, patience

    def publish(self, number: int) -> Published:
        """Makes a build live. Raises PublishError; live is then as it was."""
        with closing(self.connect()) as connection:
            engine, ledger = engine_of(connection), Ledger(connection, self.target_schema)
            build = ledger.get(number)
            if build is None:
                raise PublishError(f"There is no generation {number}.")
            live = ledger.live_number()
            if build.status != "built" and number != live:
                raise StaleError(f"Generation {number} is {build.status}. Build it again.")
            changes = ledger.changes(number)
            self._wait_for_old_readers(engine, build.built_at)
            literal = engine.literal
            where = f"where target_schema = {literal(self.target_schema)}"
            statements = [
                f"update ops.generations set status = 'retired' {where} and status = 'live'",
                # Nothing, which a status can't be, if another build has taken its place in next.
                "update ops.generations set status = case status when 'built' then 'live' end, "
                f"published_at = {dialect(connection).now} {where} and generation = {number}",
            ]
            if build.kind == "deploy":
                statements.append(self._refreshes_void(engine))
            return self._move(
                engine, moves.publish(changes, build.base), statements, build.base, number
            )

    def rollback(self, to: int) -> Published:
        """Makes an earlier generation live again, or a later one that was rolled back.

        Raises PublishError; live is then as it was.
        """
        with closing(self.connect()) as connection:
            engine, ledger = engine_of(connection), Ledger(connection, self.target_schema)
            live, known = ledger.live_number(), ledger.all()
            undone, redone = moves.path(known, live, to)
            base = {one.number: one.base for one in known}
            steps: list[Move] = []
            for number in undone:
                steps += moves.back(ledger.changes(number), number, base[number])
            for number in redone:
                steps += moves.again(ledger.changes(number), number, base[number])
            steps, made = moves.resolve(steps, engine.kinds({move.schema for move in steps}))
            # Such as row level security that live has got since: it would be gone without a word.
            refused = engine.refusals(
                sorted({(one.schema, one.name) for one in steps if is_live(one.schema)})
            )
            if refused:
                raise PublishError("Not taken back: " + " ".join(refused))
            ledger_ = self._gone_back(engine, undone, redone, to)
            return self._move(engine, steps, ledger_, live, to, made)

    def _gone_back(
        self, engine: Engine, undone: Sequence[int], redone: Sequence[int], to: int
    ) -> list[str]:
        schema = engine.literal(self.target_schema)
        where = f"where target_schema = {schema} and generation"
        # Live last: there is never more than one.
        statements = [
            f"update ops.generations set status = 'retired' where target_schema = {schema} "
            "and status = 'live'"
        ]
        statements += [
            f"update ops.generations set status = 'rolled back' {where} = {one}" for one in undone
        ]
        statements += [
            f"update ops.generations set status = 'retired' {where} = {one}" for one in redone
        ]
        if to != NOTHING:
            statements.append(f"update ops.generations set status = 'live' {where} = {to}")
        statements.append(self._refreshes_void(engine))
        return statements

    def _refreshes_void(self, engine: Engine) -> str:
        """What refreshes have built since may not be in live any more: the next one begins anew,
        not after the batch that they ended with.
        """
        begins = engine.literal(self.target_schema + ":")
        length = len(self.target_schema) + 1
        return f"delete from ops.refreshes where left(selection, {length}) = {begins}"

    def _wait_for_old_readers(self, engine: Engine, built_at: Any) -> None:  # noqa: ANN401
        deadline = time.monotonic() + self.patience.seconds
        while readers := engine.old_readers(built_at):
            if time.monotonic() > deadline:
                raise BusyError(
                    "Not published: transactions that are older than the build are still open, and "
                    f"would see its tables empty: {_list(readers)}. Publish again when they have "
                    "ended."
                )
            time.sleep(_PAUSE_SECONDS[1])

    def _move(
        self,
        engine: Engine,
        steps: Sequence[Move],
        ledger: Sequence[str],
        live: int,
        to: int,
        made: Sequence[str] = (),
    ) -> Published:
        places = [(move.schema, move.name) for move in steps]
        # Ctrl-C, too, may come when all is done.
        stops: tuple[type[BaseException], ...] = (KeyboardInterrupt, *errors())
        attempts, deadline = 0, time.monotonic() + self.patience.seconds
        canceled = False
        while True:
            attempts += 1
            # Anew each time: somebody may work on them.
            views = engine.outside_views(set(places))
            refused = engine.unreadable(views, _columns_after(engine, steps))
            if refused:
                raise PublishError("Not published: " + " ".join(refused))
            started = time.monotonic()
            try:
                engine.move(
                    steps,
                    views,
                    ledger,
                    made=made,
                    target_schema=self.target_schema,
                    live=live,
                    patience=PATIENCE if attempts % _EVERY == 0 else None,
                )
            except BusyError:
                if time.monotonic() > deadline:
                    if self.patience.cancel and not canceled:
                        engine.cancel(places)
                        canceled, deadline = True, deadline + 5
                        continue
                    raise BusyError(
                        f"Not published after {attempts} attempts, because live is in use: "
                        f"{_list(engine.blockers(places))}. Live is unchanged. Publish again, for "
                        "longer with --deadline SECONDS, or end them with --cancel-blockers."
                    ) from None
                time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311  # no secret
                continue
            except stops as error:
                live_now, status = self._now(to)
                if isinstance(error, KeyboardInterrupt) and live_now != to:
                    raise
                if status == "failed":
                    raise StaleError(
                        f"Generation {to} is not what waits in next any more: another build came "
                        "before its publish. Build it again."
                    ) from None
                if live_now != to:
                    raise PublishError(
                        f"Not published, live is unchanged: {str(error).strip()}"
                    ) from None
            return Published((time.monotonic() - started) * 1000, attempts)

    def _now(self, number: int) -> tuple[int, str | None]:
        """The live generation, and the status of this one.

        Asks anew: whether a connection was lost before or after its transaction is not known.

        A server that has not noticed goes on with it; it has locked a row of the ledger then.
        """
        deadline = time.monotonic() + _RECONNECT_SECONDS
        while True:
            time.sleep(_PAUSE_SECONDS[1])  # what is under way to the server has arrived
            try:
                with closing(self.connect()) as connection:
                    ledger = Ledger(connection, self.target_schema)
                    ledger.wait()
                    there = ledger.get(number)
                    return ledger.live_number(), there.status if there else None
            except errors():
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)


def changes_of(
    engine: Engine, builds: Iterable[tuple[str, str, str]], removed: Iterable[tuple[str, str]]
) -> list[Change]:
    """What a build will replace: `builds` are schema, name and kind, `removed` schema and name."""
    builds, removed = list(builds), list(removed)
    kinds = engine.kinds({one[0] for one in (*builds, *removed)})
    places = {(one[0], one[1]) for one in (*builds, *removed)}
    definitions = engine.definitions([one for one in places if kinds.get(one) == "view"])
    return [
        *(
            Change(schema, name, kinds.get((schema, name)), kind, definitions.get((schema, name)))
            for schema, name, kind in builds
        ),
        *(
            Change(*place, kinds[place], None, definitions.get(place))
            for place in removed
            if place in kinds
        ),
    ]


def _columns_after(engine: Engine, steps: Sequence[Move]) -> dict[tuple[str, str], dict[str, str]]:
    """The columns that will be at each place."""
    now = engine.types({(move.schema, move.name) for move in steps})
    for move in steps:
        now[move.to, move.name] = now.pop((move.schema, move.name), {})
    return now


def _list(found: Sequence[str]) -> str:
    return "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
