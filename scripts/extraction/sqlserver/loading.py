"""Documents into a table: a chunk of them is one parameter, which openjson() types on the server.

Each chunk is compared with what arrived: the number of its rows, and its SHA-256 as the server
computes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import pyodbc

from extraction.engine import Producer
from extraction.errors import TransientError
from extraction.pipe import streaming
from extraction.sqlserver.landing_types import listed, openjson_column, openjson_value

# How much of a stream goes into one statement. More gains nothing, and takes memory at both ends.
CHUNK_BYTES = 1024 * 1024

NVARCHAR_MAX = (pyodbc.SQL_WVARCHAR, 0, 0)


def load(
    connection: pyodbc.Connection,
    table: str,
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    producer: Producer,
) -> int:
    """Adds all that the producer sends to a table; returns the rows.

    `table` is quoted SQL. `columns` are names and types of the documents' values, `constants` SQL
    that each row gets by name. Each chunk commits unless a transaction is open: the table must be
    one that nobody else reads.
    """
    names = listed([*columns, *constants])
    return _send(
        connection,
        "set nocount on; declare @rows bigint; declare @documents nvarchar(max) = ?; "
        f"insert into {table} with (tablock) ({names}) "
        f"{_select(columns, constants, '@documents')}; "
        "set @rows = @@rowcount; "
        "select @rows, hashbytes('sha2_256', @documents)",
        producer,
        table,
    )


def keep(connection: pyodbc.Connection, table: str, producer: Producer) -> int:
    """Puts documents aside as they come, many to a row of `table`; returns how many there are."""
    return _send(
        connection,
        "set nocount on; declare @documents nvarchar(max) = ?; "
        f"insert into {table} values (@documents); "
        "select (select count(*) from openjson(@documents)), hashbytes('sha2_256', @documents)",
        producer,
        table,
    )


def select_kept(table: str, columns: Mapping[str, str]) -> str:
    """The select that types what was kept in `table`."""
    return f"{_select(columns, {}, 'kept.documents', f'{table} as kept cross apply ')}"


def _select(
    columns: Mapping[str, str], constants: Mapping[str, str], documents: str, source: str = ""
) -> str:
    values = [openjson_value(name, type_) for name, type_ in columns.items()]
    typed = ", ".join(openjson_column(name, type_) for name, type_ in columns.items())
    return (
        f"select {', '.join([*values, *constants.values()])} "
        f"from {source}openjson({documents}) with ({typed})"
    )


def _send(connection: pyodbc.Connection, statement: str, producer: Producer, table: str) -> int:
    arrived = 0
    with streaming(producer) as pipe, connection.cursor() as cursor:
        for documents in arrays(pipe):
            cursor.setinputsizes([NVARCHAR_MAX])
            rows, digest = cursor.execute(statement, documents).fetchone()
            if not is_digest_of(bytes(digest), documents):
                raise TransientError(f"{table}: a chunk did not arrive as it was sent")
            arrived += rows
    if pipe.sent != arrived:
        raise TransientError(f"{table}: {pipe.sent} rows were sent and {arrived} arrived")
    return arrived


def is_digest_of(digest: bytes, text: str) -> bool:
    """Whether a server that holds an nvarchar in either encoding would say so of this text."""
    encodings = ("utf-16-le", "utf-8")
    return any(hashlib.sha256(text.encode(name)).digest() == digest for name in encodings)


def arrays(chunks: Iterable[bytes], size: int = CHUNK_BYTES) -> Iterator[str]:
    """JSON lines, cut anywhere, as JSON arrays of whole lines, each of about `size` bytes."""
    parts: list[bytes] = []
    waiting = 0
    for chunk in chunks:
        parts.append(chunk)
        waiting += len(chunk)
        if waiting >= size and b"\n" in chunk:
            lines, _, rest = b"".join(parts).rpartition(b"\n")
            yield _array(lines)
            parts, waiting = [rest], len(rest)
    if lines := b"".join(parts).removesuffix(b"\n"):
        yield _array(lines)


def _array(lines: bytes) -> str:
    # A document has no raw line feed inside: JSON writes it as \n.
    return "[" + lines.decode().replace("\n", ",") + "]"
