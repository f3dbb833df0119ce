"""Comparing on SQL Server, which before 2022 has no `is distinct from`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from common.sqlserver import identifier, literal
from diffing.compared import Relation
from diffing.engine import GROUPED_LENGTH, Cursor
from diffing.relation import Column, Table

_COLUMNS = """
    select
        col.name, coalesce(base.name, own.name), col.max_length, col.precision, col.scale,
        col.is_nullable
    from sys.columns as col
    inner join sys.types as own on own.user_type_id = col.user_type_id
    left join sys.types as base on base.user_type_id = col.system_type_id
    where col.object_id = object_id(?)
    order by col.column_id
"""
_UNIQUE = """
    select one.index_id, col.name
    from sys.indexes as one
    inner join sys.index_columns as part
        on part.object_id = one.object_id
        and part.index_id = one.index_id
        and part.is_included_column = 0
    inner join sys.columns as col
        on col.object_id = part.object_id and col.column_id = part.column_id
    where one.object_id = object_id(?) and one.is_unique = 1 and one.has_filter = 0
        and one.is_disabled = 0 and one.is_hypothetical = 0
"""
_TEXT = ("char", "varchar", "nchar", "nvarchar", "sysname", "text", "ntext")
_WHOLE = ("tinyint", "smallint", "int", "bigint")
_DECIMAL = ("decimal", "numeric")
_MONEY = ("money", "smallmoney")
_FLOATS = ("real", "float")
_BINARY = ("binary", "varbinary")
# Types without equality, and as what they are compared.
_COMPARED_AS = {
    "image": "varbinary(max)",
    "geography": "varbinary(max)",
    "geometry": "varbinary(max)",
    "xml": "nvarchar(max)",
    "json": "nvarchar(max)",
    "vector": "nvarchar(max)",
}


class SqlServer:
    count = "count_big(*)"
    differences = "#medallion_differences"

    def quote(self, *parts: str) -> str:
        return identifier(*parts)

    def literal(self, value: str) -> str:
        return literal(value)

    def inspect(self, cursor: Cursor, relation: Relation) -> Table | None:
        name = identifier(*relation)
        cursor.execute(_COLUMNS, [name])
        columns = tuple(_column(*row) for row in cursor.fetchall())
        if not columns:
            return None
        cursor.execute(_UNIQUE, [name])
        unique: dict[int, set[str]] = {}
        for index, column in cursor.fetchall():
            unique.setdefault(index, set()).add(column)
        return Table(columns, tuple(frozenset(names) for names in unique.values()))

    def differ(self, pairs: Sequence[tuple[str, str]]) -> str:
        live, next_ = (", ".join(side) for side in zip(*pairs, strict=True))
        return f"not exists (select {live} intersect select {next_})"

    def fingerprint(self, columns: Sequence[Column]) -> str | None:
        """None: `binary_checksum` is too weak, and a digest of each row dearer than the join."""
        return None

    def store(self, with_: str, columns: str, source: str) -> str:
        return f"{with_} select {columns} into {self.differences} {source}"

    @contextmanager
    def session(self, cursor: Cursor) -> Iterator[None]:
        try:
            yield
        finally:
            cursor.execute(f"drop table if exists {self.differences}")


def _column(
    name: str, base: str, max_length: int, precision: int, scale: int, nullable: bool
) -> Column:
    group = None
    equal_by: tuple[str, ...] = ("{}",)
    if base in _COMPARED_AS:
        equal_by = (f"cast({{}} as {_COMPARED_AS[base]})",)
    if base in _TEXT:
        # As UTF-16, because a collation of another code page would lose characters. Blanks at the
        # end are nothing to any collation, hence the length.
        bytes_each = 2 if base.startswith("n") else 1
        fits = 0 <= max_length <= 4000 * bytes_each and not base.endswith("text")
        size = "4000" if fits else "max"  # what is longer would be cut without a word
        text = f"cast({{}} as nvarchar({size})) collate Latin1_General_100_BIN2"
        equal_by = (text, f"datalength(cast({{}} as nvarchar({size})))")
        group = f"left({text}, {GROUPED_LENGTH})"
    elif base in (*_WHOLE, "bit", "date", "uniqueidentifier"):
        group = f"cast({{}} as nvarchar({GROUPED_LENGTH})) collate Latin1_General_100_BIN2"
    is_number = base in (*_WHOLE, *_DECIMAL, *_MONEY, *_FLOATS)
    family = "number" if is_number else "text" if base in _TEXT else base
    return Column(
        name=name,
        type=_spelled(base, max_length, precision, scale),
        family="binary" if base in _BINARY else family,
        nullable=bool(nullable),
        equal_by=equal_by,
        total=_total(base),
        total_is_exact=base not in _FLOATS,
        group=group,
    )


def _total(base: str) -> str | None:
    if base in _WHOLE:
        return "sum(cast({} as decimal(38, 0)))"
    if base in _MONEY:
        return "sum(cast({} as decimal(38, 4)))"
    if base in _FLOATS:
        return "sum(cast({} as float))"
    return "sum({})" if base in _DECIMAL else None


def _spelled(base: str, max_length: int, precision: int, scale: int) -> str:
    if base in _DECIMAL:
        return f"{base}({precision},{scale})"
    if base in ("datetime2", "datetimeoffset", "time"):
        return f"{base}({scale})"
    if base in (*_TEXT[:4], *_BINARY):
        characters = max_length // 2 if base.startswith("n") else max_length
        return f"{base}({'max' if max_length == -1 else characters})"
    return base
