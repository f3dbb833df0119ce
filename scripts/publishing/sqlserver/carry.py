"""What a new relation takes over from the one that it replaces, before it is published.

Owner, rights on the table and on columns, masks, extended properties such as comments, indexes that
dbt did not make, and statistics. Rights on the live schema are the schema's own: they hold for what
comes into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from common.sqlserver import identifier, literal
from publishing.sqlserver import copying

Place = tuple[str, str]
Query = Callable[..., list[tuple[Any, ...]]]

# Names that dbt-sqlserver gives to indexes; a columnstore is called after its table.
_BY_DBT = re.compile(
    r"dbt_idx_[0-9a-f]{32}|(non)?clustered_[0-9a-f]{32}(_incl_[0-9a-f]{32})?|.*_cci"
)
_COLUMNS = "select name from sys.columns where object_id = object_id(?) order by column_id"
_OWNER = """
select p.name from sys.objects as o
inner join sys.database_principals as p on p.principal_id = o.principal_id
where o.object_id = object_id(?)
"""
_KIND = "select rtrim(type) from sys.objects where object_id = object_id(?)"
# State, permission, whom, column. Those on the whole table first: they take back column's.
_RIGHTS = """
select p.state, p.permission_name, u.name, c.name
from sys.database_permissions as p
inner join sys.database_principals as u on u.principal_id = p.grantee_principal_id
left join sys.columns as c
    on c.object_id = p.major_id and c.column_id = p.minor_id and p.minor_id > 0
where p.class = 1 and p.major_id = object_id(?)
order by p.minor_id, p.permission_name, u.name
"""
# Those of a column, or of the table itself; convert() because the driver can't read a variant.
_PROPERTIES = """
select e.name, convert(nvarchar(4000), e.value), c.name
from sys.extended_properties as e
left join sys.columns as c
    on c.object_id = e.major_id and c.column_id = e.minor_id and e.minor_id > 0
where e.class = 1 and e.major_id = object_id(?) and (e.minor_id = 0 or c.name is not null)
order by e.minor_id, e.name
"""
_STATISTICS = """
select name, stats_id, filter_definition, no_recompute
from sys.stats where object_id = object_id(?) and user_created = 1
"""
_STATISTICS_COLUMNS = """
select c.name
from sys.stats_columns as k
inner join sys.columns as c on c.object_id = k.object_id and c.column_id = k.column_id
where k.object_id = object_id(?) and k.stats_id = ?
order by k.stats_column_id
"""
# Set by dbt while it builds, and gone when it has.
_NOT_CARRIED = "dbt_full_refresh_incomplete"


def statements(query: Query, live: Place, next_: Place, *, grants_by_dbt: bool) -> Iterator[str]:
    """The statements that make one relation in next like its live one, in order."""
    source, to = identifier(*live), identifier(*next_)
    columns = {name for (name,) in query(_COLUMNS, to)}
    kinds = [kind for place in (source, to) for (kind,) in query(_KIND, place)]
    if kinds == ["U", "U"]:
        yield from masks(query, live, next_, columns)  # before there is an index on the column
        yield from _indexes(query, live, next_)
        yield from _statistics(query, source, to, columns)
    theirs = {(name, column) for name, _, column in query(_PROPERTIES, to)}
    kind = "VIEW" if kinds[-1] == "V" else "TABLE"
    yield from properties(query, source, next_, kind, columns, theirs)
    if query(_OWNER, source) != query(_OWNER, to):
        yield from owner(query, source, to)  # it takes away the rights that were there
    if not grants_by_dbt:
        yield from rights(query, source, to, columns)


def is_by_dbt(index: str) -> bool:
    """Whether dbt-sqlserver gives such names."""
    return _BY_DBT.fullmatch(index) is not None


def masks(query: Query, live: Place, next_: Place, columns: set[str]) -> Iterator[str]:
    """Masks that the new table has none for: without them readers would see what is behind."""
    theirs = copying.masks(query, next_)
    for column, mask in copying.masks(query, live).items():
        if column in columns and column not in theirs:
            table = f"alter table {identifier(*next_)}"
            yield f"{table} alter column {identifier(column)} add {mask}"


def rights(query: Query, source: str, to: str, columns: set[str] | None = None) -> Iterator[str]:
    """Grants and denials of one relation, for another; of all columns, or of these."""
    for state, permission, whom, column in query(_RIGHTS, source):
        if column is not None and columns is not None and column not in columns:
            continue
        verb = {"D": "deny", "R": "revoke"}.get(state, "grant")
        of = f" ({identifier(column)})" if column is not None else ""
        preposition = "from" if verb == "revoke" else "to"
        grantable = " with grant option" if state == "W" else ""
        yield (
            f"{verb} {permission}{of} on object::{to} {preposition} {identifier(whom)}{grantable}"
        )


def properties(
    query: Query,
    source: str,
    to: Place,
    kind: str,
    columns: set[str] | None = None,
    theirs: Collection[tuple[str, str | None]] = (),
) -> Iterator[str]:
    """Extended properties of one relation for another, a TABLE or VIEW, but for those it has."""
    for name, value, column in query(_PROPERTIES, source):
        is_gone = column is not None and columns is not None and column not in columns
        if name == _NOT_CARRIED or is_gone or (name, column) in theirs:
            continue
        of_column = f", @level2type = N'COLUMN', @level2name = {literal(column)}" if column else ""
        yield (
            f"exec sys.sp_addextendedproperty @name = {literal(name)}, @value = {literal(value)}, "
            f"@level0type = N'SCHEMA', @level0name = {literal(to[0])}, "
            f"@level1type = N'{kind}', @level1name = {literal(to[1])}{of_column}"
        )


def owner(query: Query, source: str, to: str) -> Iterator[str]:
    """An owner of its own, if it is not the schema's."""
    for (name,) in query(_OWNER, source):
        yield f"alter authorization on object::{to} to {identifier(name)}"


def _indexes(query: Query, live: Place, next_: Place) -> Iterator[str]:
    """Indexes that somebody made by hand."""
    theirs = {index.shape for index in copying.indexes(query, next_)}
    for index in copying.indexes(query, live):
        by_hand = index.name and not index.is_constraint and not is_by_dbt(index.name)
        if by_hand and index.shape not in theirs:
            yield index.statement(identifier(*next_))


def _statistics(query: Query, source: str, to: str, columns: set[str]) -> Iterator[str]:
    theirs = {_described(query, to, *row[1:]) for row in query(_STATISTICS, to)}
    for name, *row in query(_STATISTICS, source):
        on, filter_, is_fixed = described = _described(query, source, *row)
        # Of a column that is gone there is nothing to know.
        if described in theirs or not set(on) <= columns:
            continue
        where = f" where {filter_}" if filter_ else ""
        options = " with norecompute" if is_fixed else ""
        listed = ", ".join(map(identifier, on))
        yield f"create statistics {identifier(name)} on {to} ({listed}){where}{options}"


def _described(
    query: Query, table: str, number: int, filter_: str | None, is_fixed: bool
) -> tuple[tuple[str, ...], str | None, bool]:
    columns = tuple(name for (name,) in query(_STATISTICS_COLUMNS, table, number))
    return columns, filter_, bool(is_fixed)
