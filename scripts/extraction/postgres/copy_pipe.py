"""COPY's binary stream from one connection to another, untouched.

One thread reads, one writes, a bounded queue between them: memory stays flat whatever the size.
"""

from __future__ import annotations

import io
import queue
import select
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg2
import psycopg2.extensions
from typing_extensions import Buffer

from extraction.engine import Producer, Sink

CHUNK_BYTES = 256 * 1024
QUEUED_CHUNKS = 8


class RowsLostError(Exception):
    """The stream was cut between two rows."""


class _StoppedError(Exception):
    """The other end gave up; its error is the one that counts."""


class ChunkSink(io.RawIOBase):
    """Where the buffer of COPY TO empties itself: a few large chunks instead of millions of rows.

    psycopg2 writes once for each row; only io.BufferedWriter, which is C, is quick enough for that.
    Rows are therefore counted in the first chunk alone and estimated from their size after it.
    Of a large value only a part is taken, and the buffer offers the rest again.
    """

    def __init__(self, sink: Sink, count: Callable[[bytes], int]) -> None:
        """`count` tells how many rows the first chunk holds."""
        self._sink = sink
        self._count = count
        self._bytes_per_row = 0.0
        self._bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        chunk = bytes(memoryview(data)[:CHUNK_BYTES])
        if not self._bytes_per_row:
            self._bytes_per_row = len(chunk) / max(1, self._count(chunk))
        before = int(self._bytes / self._bytes_per_row)
        self._bytes += len(chunk)
        self._sink(chunk, int(self._bytes / self._bytes_per_row) - before)
        return len(chunk)


def rows_in(chunk: bytes) -> int:
    """Complete rows in the first chunk of a binary COPY stream."""
    rows, position = 0, 19  # signature, flags, length of the header's extension
    with suppress(struct.error):
        while (fields := struct.unpack_from("!h", chunk, position)[0]) >= 0:
            position += 2
            for _ in range(fields):
                position += 4 + max(0, struct.unpack_from("!i", chunk, position)[0])
            rows += position <= len(chunk)
    return rows


def lines_in(chunk: bytes) -> int:
    """Complete rows in a stream of which each line is one."""
    return chunk.count(b"\n")


class _Source(io.RawIOBase):
    """The file that COPY FROM reads from."""

    def __init__(
        self,
        chunks: queue.Queue[bytes | None],
        connection: psycopg2.extensions.connection,
        producer_failed: threading.Event,
    ) -> None:
        self._chunks = chunks
        self._connection = connection
        self._producer_failed = producer_failed
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._next()
        if chunk is None:
            if self._producer_failed.is_set():
                raise _StoppedError  # an end of file here would commit half a table
            return b""
        self._rest = chunk[size:] if 0 <= size < len(chunk) else b""
        return chunk[:size] if size >= 0 else chunk

    def _next(self) -> bytes | None:
        while True:
            # The server speaks during COPY only to say that it failed. Without this look an error
            # in the first row would surface when the last one was sent, or the source's next came.
            if select.select([self._connection.fileno()], [], [], 0)[0]:
                raise _StoppedError
            with suppress(queue.Empty):
                return self._rest or self._chunks.get(timeout=0.5)


def copy_in(connection: psycopg2.extensions.connection, statement: str, producer: Producer) -> int:
    """Runs COPY … FROM STDIN with what the producer sends; returns the rows that arrived.

    Compares the rows that were sent with those that arrived, because COPY accepts a stream that was
    cut between two rows. Raises what failed first: the producer's error, or the server's.
    """
    chunks: queue.Queue[bytes | None] = queue.Queue(QUEUED_CHUNKS)
    stop, producer_failed = threading.Event(), threading.Event()
    outcome: list[int | BaseException] = []

    def put(chunk: bytes | None) -> None:
        while not stop.is_set():
            with suppress(queue.Full):
                chunks.put(chunk, timeout=0.2)
                return
        raise _StoppedError

    def run() -> None:
        try:
            outcome.append(producer(lambda chunk, rows: put(chunk)))
        except BaseException as error:
            outcome.append(error)
            producer_failed.set()
        finally:
            with suppress(_StoppedError):
                put(None)

    thread = threading.Thread(target=run, name="copy out", daemon=True)
    thread.start()
    arrived = None
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(statement, _Source(chunks, connection, producer_failed), CHUNK_BYTES)
            arrived = int(cursor.rowcount)
    except psycopg2.Error:
        if not producer_failed.is_set() or isinstance(outcome[0], _StoppedError):
            raise
    finally:
        stop.set()
        while arrived is None and not outcome:
            producer.cancel()  # again and again: the first may come before the query
            thread.join(1)
        thread.join()
    sent = outcome[0]
    if isinstance(sent, BaseException):
        raise sent
    if sent != arrived:
        raise RowsLostError(f"{sent} rows were sent and {arrived} arrived")
    return arrived
