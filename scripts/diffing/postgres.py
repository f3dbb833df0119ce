"""Comparing on Postgres."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from common.postgres import identifier, literal
from diffing.compared import Relation
from diffing.engine import GROUPED_LENGTH, Cursor
from diffing.relation import Column, Table, fill

# A domain compares as its base type does, an array as its elements do. What no index could order
# has no equality to rely on (json has none, a polygon's is the number of its points).
_COLUMNS = """
    select
        attribute.attname,
        format_type(attribute.atttypid, attribute.atttypmod),
        format_type(base.oid, null),
        base.typcategory::text,
        attribute.attnotnull,
        attribute.attcollation <> 0,
        base.typtype in ('e', 'r', 'm')
            or exists (select from pg_opclass where opcdefault and opcmethod = 403
                and opcintype = element.oid),
        base.typtype = 'e'
            -- with the function that a row's hash takes: some types' classes have the old one only
            or exists (select from pg_opclass
                inner join pg_amproc
                    on amprocfamily = opcfamily and amproclefttype = opcintype and amprocnum = 2
                where opcdefault and opcmethod = 405 and opcintype = element.oid)
    from pg_class as relation
    inner join pg_namespace as namespace on namespace.oid = relation.relnamespace
    inner join pg_attribute as attribute
        on attribute.attrelid = relation.oid
        and attribute.attnum > 0
        and not attribute.attisdropped
    inner join pg_type as own on own.oid = attribute.atttypid
    inner join pg_type as base on base.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
    inner join pg_type as element
        on element.oid = case when base.typcategory = 'A' then base.typelem else base.oid end
    where namespace.nspname = %s and relation.relname = %s
        and relation.relkind in ('r', 'v', 'm', 'p', 'f')
    order by attribute.attnum
"""
# Children by inheritance are not in the index of their parent.
_UNIQUE = """
    select array_agg(attribute.attname::text)
    from pg_index as one
    inner join pg_class as relation on relation.oid = one.indrelid
    inner join pg_namespace as namespace on namespace.oid = relation.relnamespace
    cross join unnest(one.indkey[0:one.indnkeyatts - 1]) as part (number)
    left join pg_attribute as attribute
        on attribute.attrelid = one.indrelid and attribute.attnum = part.number
    where namespace.nspname = %s and relation.relname = %s
        and one.indisunique and one.indisvalid and one.indimmediate
        and one.indpred is null and one.indexprs is null
        and (relation.relkind = 'p' or not relation.relhassubclass)
    group by one.indexrelid
"""
_WHOLE = ("smallint", "integer", "bigint")
_FLOATS = ("real", "double precision")
_GROUPED = (*_WHOLE, "boolean", "date", "uuid")


class Postgres:
    count = "count(*)"
    differences = "pg_temp.medallion_differences"

    def quote(self, *parts: str) -> str:
        return identifier(*parts)

    def literal(self, value: str) -> str:
        return literal(value)

    def inspect(self, cursor: Cursor, relation: Relation) -> Table | None:
        cursor.execute(_COLUMNS, list(relation))
        columns = tuple(_column(*row) for row in cursor.fetchall())
        if not columns:
            # A table of no columns has rows nevertheless.
            cursor.execute("select to_regclass(%s)", [identifier(*relation)])
            return Table((), ()) if cursor.fetchone()[0] else None
        cursor.execute(_UNIQUE, list(relation))
        return Table(columns, tuple(frozenset(names) for (names,) in cursor.fetchall()))

    def differ(self, pairs: Sequence[tuple[str, str]]) -> str:
        return " or ".join(f"{live} is distinct from {next_}" for live, next_ in pairs)

    def fingerprint(self, columns: Sequence[Column]) -> str | None:
        """The sum of a 64-bit hash of each row.

        A record's hash is linear in those of its columns: without the second hash, two values that
        swap their rows would leave the sum as it was.
        """
        if not columns:
            return None
        row = ", ".join(fill(str(one.digest), identifier(one.name)) for one in columns)
        return f"sum(hashint8extended(hash_record_extended(row({row}), 0), 1))"

    def store(self, with_: str, columns: str, source: str) -> str:
        return (
            "create temporary table medallion_differences on commit drop as "
            f"{with_} select {columns} {source}"
        )

    @contextmanager
    def session(self, cursor: Cursor) -> Iterator[None]:
        """All statements see one state of the database; what they make is rolled back."""
        cursor.execute("begin isolation level repeatable read")
        try:
            # Compiling these long lists of expressions takes longer than running them.
            cursor.execute("set local jit = off")
            yield
        finally:
            cursor.execute("rollback")


def _column(
    name: str,
    type_: str,
    base: str,
    category: str,
    not_null: bool,
    collates: bool,
    has_equality: bool,
    has_hash: bool,
) -> Column:
    is_text = category == "S"
    is_number = base in (*_WHOLE, *_FLOATS, "numeric")
    exact = ' collate "C"' if collates or not has_equality else ""
    as_text = '({})::text collate "C"'
    equal_by = as_text if is_text or not has_equality else f"{{}}{exact}"
    total = None
    if is_number:
        # As decimals, floats add up to the same sum in any order.
        total = "sum({}::numeric)" if base in _FLOATS else "sum({})"
    return Column(
        name=name,
        type=type_,
        family="number" if is_number else "text" if is_text else base,
        nullable=not not_null,
        equal_by=(equal_by,),
        digest=equal_by if is_text or has_hash else as_text,
        total=total,
        group=f'left(({{}})::text, {GROUPED_LENGTH}) collate "C"'
        if is_text or base in _GROUPED or category == "E"
        else None,
    )
