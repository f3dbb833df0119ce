"""From a reader to a writer: one thread reads, one writes, a bounded queue between them.

Memory stays flat, whatever the size of a table.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from extraction.engine import Producer

QUEUED_CHUNKS = 8


class StoppedError(Exception):
    """The other end gave up; its error is the one that counts."""


class Pipe:
    """What a producer sends, chunk by chunk, as it runs in a thread of its own."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._chunks: queue.Queue[bytes | None] = queue.Queue(QUEUED_CHUNKS)
        self._stop, self._failed = threading.Event(), threading.Event()
        self._outcome: list[int | BaseException] = []
        self._thread = threading.Thread(target=self._run, name="read", daemon=True)
        self._thread.start()

    @property
    def source_failed(self) -> bool:
        """Whether the producer failed by itself, not because nobody wants its rows any more."""
        return self._failed.is_set() and not isinstance(self._outcome[0], StoppedError)

    def next(self, look: Callable[[], None] | None = None) -> bytes | None:
        """The next chunk, None after the last; calls `look` while it waits.

        Raises StoppedError if the producer failed: an end here would be half a table.
        """
        while True:
            if look:
                look()
            with suppress(queue.Empty):
                chunk = self._chunks.get(timeout=0.5)
                if chunk is None and self._failed.is_set():
                    raise StoppedError
                return chunk

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self.next()) is not None:
            yield chunk

    @property
    def sent(self) -> int:
        """The rows that a producer sent that has ended well."""
        (outcome,) = self._outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def end(self, *, is_done: bool) -> None:
        """Waits for the producer's end; its rows are wanted no more unless `is_done`."""
        self._stop.set()
        while not is_done and not self._outcome:
            self._producer.cancel()  # again and again: the first may come before the query
            self._thread.join(1)
        self._thread.join()

    def _put(self, chunk: bytes | None) -> None:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._chunks.put(chunk, timeout=0.2)
                return
        raise StoppedError

    def _run(self) -> None:
        try:
            self._outcome.append(self._producer(lambda chunk, rows: self._put(chunk)))
        except BaseException as error:
            self._outcome.append(error)
            self._failed.set()
        finally:
            with suppress(StoppedError):
                self._put(None)


@contextmanager
def streaming(producer: Producer) -> Iterator[Pipe]:
    """The producer's stream; the block returns normally when it took all of it.

    Raises what failed first: the producer's error, or the block's.
    """
    pipe = Pipe(producer)
    is_done = False
    try:
        yield pipe
        is_done = True
    except Exception:
        if not pipe.source_failed:
            raise
    finally:
        pipe.end(is_done=is_done)
    pipe.sent  # noqa: B018  # raises the producer's error
