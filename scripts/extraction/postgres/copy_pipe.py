"""COPY's stream from one connection to another, untouched."""

from __future__ import annotations

import io
import select
import struct
from collections.abc import Callable
from contextlib import suppress

import psycopg2.extensions
from typing_extensions import Buffer

from extraction.engine import Producer, Sink
from extraction.pipe import Pipe, StoppedError, streaming

CHUNK_BYTES = 256 * 1024


class RowsLostError(Exception):
    """The stream was cut between two rows."""


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

    def __init__(self, pipe: Pipe, connection: psycopg2.extensions.connection) -> None:
        self._pipe = pipe
        self._connection = connection
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._rest or self._pipe.next(self._listen)
        if chunk is None:
            return b""
        self._rest = chunk[size:] if 0 <= size < len(chunk) else b""
        return chunk[:size] if size >= 0 else chunk

    def _listen(self) -> None:
        # The server speaks during COPY only to say that it failed. Without this look an error in
        # the first row would surface when the last one was sent, or the source's next came.
        if select.select([self._connection.fileno()], [], [], 0)[0]:
            raise StoppedError


def copy_in(connection: psycopg2.extensions.connection, statement: str, producer: Producer) -> int:
    """Runs COPY … FROM STDIN with what the producer sends; returns the rows that arrived.

    Compares the rows that were sent with those that arrived, because COPY accepts a stream that was
    cut between two rows. Raises what failed first: the producer's error, or the server's.
    """
    with streaming(producer) as pipe, connection.cursor() as cursor:
        cursor.copy_expert(statement, _Source(pipe, connection), CHUNK_BYTES)
        arrived = int(cursor.rowcount)
    if pipe.sent != arrived:
        raise RowsLostError(f"{pipe.sent} rows were sent and {arrived} arrived")
    return arrived
