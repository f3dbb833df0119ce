"""One deploy or refresh of a target schema at a time: a lock that ends with its session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from common.warehouse import errors
from publishing.engine import Engine
from publishing.errors import PublishError
from publishing.generations import Ledger

_POLL_SECONDS = 1.0


@contextmanager
def run_lock(engine: Engine, target_schema: str, wait: float) -> Iterator[None]:
    """Holds the lock on a session of its own; waits up to `wait` seconds for it.

    It only keeps two from working at once. What makes a publish right is that it compares the live
    generation: a session that the network has lost doesn't hold the lock any more.
    Raises PublishError, naming who has it.
    """
    name = f"medallion publish {target_schema}"
    deadline = time.monotonic() + wait
    while not engine.try_lock(name):
        if time.monotonic() >= deadline:
            raise PublishError(
                f"Another deploy or refresh is under way: {engine.lock_holder(name)}. Run again "
                "when it has ended, or let this one wait with --wait SECONDS."
            )
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        # On a lost connection the lock is gone already; what went wrong before is what matters.
        with suppress(*errors()):
            engine.unlock(name)


@contextmanager
def alone(
    engine: Engine, ledger: Ledger, wait: float, say: Callable[[str], None]
) -> Iterator[None]:
    """Holds the lock, and says first what an earlier run left behind."""
    with run_lock(engine, ledger.target_schema, wait):
        for left in ledger.interrupted():
            say(
                f"Generation {left.number} was being built by {left.author or 'somebody'} when "
                "its process ended. Live was not touched; it is built anew."
            )
            ledger.mark_failed(left.number, "its process ended while it was built")
        yield
