"""One deploy or refresh of a target schema at a time: a lock that ends with its session."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from publishing.engine import Engine
from publishing.errors import PublishError

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
        engine.unlock(name)
