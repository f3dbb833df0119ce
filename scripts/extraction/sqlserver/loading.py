"""Documents into a table: a chunk of them is one parameter, which openjson() types on the server.

Each chunk is compared with what arrived: the number of its rows, and its SHA-256 as the server
computes it. A server whose openjson() changes texts (`is_faithful`; SQL Server's does not) gets the
same rows as parameters, one for each value, which takes longer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyodbc

from extraction.engine import Producer
from extraction.errors import TransientError
from extraction.pipe import streaming
from extraction.sqlserver.landing_types import (
    listed,
    openjson_column,
    openjson_value,
    parameter,
)
from extraction.sqlserver.session import Session

# How much of a stream goes into one statement. More gains nothing, and takes memory at both ends.
CHUNK_BYTES = 1024 * 1024

NVARCHAR_MAX = (pyodbc.SQL_WVARCHAR, 0, 0)
LONGEST_NVARCHAR = 4000

# A text with an escape that is longer than an nvarchar without `max`: 1 if it is kept as it is.
IS_FAITHFUL = """
    select case when max(len(a)) = 5001 and max(unicode(a)) = 9 then 1 else 0 end
    from openjson(N'[{"a":"\\t' + replicate(convert(nvarchar(max), N'x'), 5000) + N'"}]')
        with (a nvarchar(max) '$.a')
"""


@dataclass(frozen=True)
class Loader:
    """Loads tables that nobody else reads: each chunk commits, unless a transaction is open."""

    session: Session
    is_faithful: bool = True

    def load(
        self,
        table: str,
        columns: Mapping[str, str],
        constants: Mapping[str, str],
        producer: Producer,
    ) -> int:
        """Adds all that the producer sends to a table; returns the rows.

        `table` is quoted SQL. `columns` are names and types of the documents' values, `constants`
        SQL that each row gets by name.
        """
        if not self.is_faithful:
            return self._load_values(table, columns, constants, producer)
        names = listed([*columns, *constants])
        return self._send(
            "set nocount on; declare @rows bigint; declare @documents nvarchar(max) = ?; "
            f"insert into {table} with (tablock) ({names}) "
            f"{_select(columns, constants, '@documents')}; "
            "set @rows = @@rowcount; "
            "select @rows, hashbytes('sha2_256', @documents)",
            table,
            producer,
        )

    def keep(self, table: str, producer: Producer) -> int:
        """Puts documents aside as they come, many to a row of a new table; how many there are."""
        self.session.execute(
            f"create table {table} (number int identity primary key, "
            "documents nvarchar(max) collate database_default)"
        )
        return self._send(
            "set nocount on; declare @documents nvarchar(max) = ?; "
            f"insert into {table} (documents) values (@documents); "
            "select (select count(*) from openjson(@documents)), hashbytes('sha2_256', @documents)",
            table,
            producer,
        )

    def load_kept(self, table: str, columns: Mapping[str, str], kept: str) -> None:
        """Adds to a table what was kept in another."""
        if self.is_faithful:
            source = f"{kept} as kept cross apply "
            self.session.execute(
                f"insert into {table} ({listed(columns)}) "
                f"{_select(columns, {}, 'kept.documents', source)}"
            )
            return
        for (number,) in self.session.query(f"select number from {kept}"):
            documents = self.session.scalar(
                f"select documents from {kept} where number = ?", number
            )
            self._insert(table, columns, {}, documents)

    def _send(self, statement: str, table: str, producer: Producer) -> int:
        arrived = 0
        with streaming(producer) as pipe, self.session.cursor() as cursor:
            for documents in arrays(pipe, CHUNK_BYTES):
                cursor.setinputsizes([NVARCHAR_MAX])
                ((rows, digest),) = cursor.execute(statement, documents).fetchall()
                if not is_digest_of(bytes(digest), documents):
                    raise TransientError(f"{table}: a chunk did not arrive as it was sent")
                arrived += rows
        _check(table, pipe.sent, arrived)
        return arrived

    def _load_values(
        self,
        table: str,
        columns: Mapping[str, str],
        constants: Mapping[str, str],
        producer: Producer,
    ) -> int:
        before = self._count(table)
        with streaming(producer) as pipe:
            for documents in arrays(pipe, CHUNK_BYTES):
                self._insert(table, columns, constants, documents)
        arrived = self._count(table) - before
        _check(table, pipe.sent, arrived)
        return arrived

    def _insert(
        self, table: str, columns: Mapping[str, str], constants: Mapping[str, str], documents: str
    ) -> None:
        found = json.loads(documents, parse_float=str, parse_int=str)
        rows = [[_text(document.get(name)) for name in columns] for document in found]
        values = [parameter(type_) for type_ in columns.values()]
        with self.session.cursor() as cursor:
            cursor.fast_executemany = True
            longest = [max(map(_length, column)) for column in zip(*rows, strict=True)]
            cursor.setinputsizes(
                [
                    (pyodbc.SQL_WVARCHAR, 0 if size > LONGEST_NVARCHAR else max(size, 1), 0)
                    for size in longest
                ]
            )
            cursor.executemany(
                f"insert into {table} ({listed([*columns, *constants])}) "
                f"values ({', '.join([*values, *constants.values()])})",
                rows,
            )

    def _count(self, table: str) -> int:
        return int(self.session.scalar(f"select count_big(*) from {table}"))


def _check(table: str, sent: int, arrived: int) -> None:
    if sent != arrived:
        raise TransientError(f"{table}: {sent} rows were sent and {arrived} arrived")


def _select(
    columns: Mapping[str, str], constants: Mapping[str, str], documents: str, source: str = ""
) -> str:
    values = [openjson_value(name, type_) for name, type_ in columns.items()]
    typed = ", ".join(openjson_column(name, type_) for name, type_ in columns.items())
    return (
        f"select {', '.join([*values, *constants.values()])} "
        f"from {source}openjson({documents}) with ({typed})"
    )


def _text(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, bool):
        return "1" if value else "0"
    return None if value is None else str(value)


def _length(value: str | None) -> int:
    """As the driver counts, in UTF-16."""
    return len(value.encode("utf-16-le")) // 2 if value else 0


def is_digest_of(digest: bytes, text: str) -> bool:
    """Whether a server that holds an nvarchar in either encoding would say so of this text."""
    encodings = ("utf-16-le", "utf-8")
    return any(hashlib.sha256(text.encode(name)).digest() == digest for name in encodings)


def arrays(chunks: Iterable[bytes], size: int) -> Iterator[str]:
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
