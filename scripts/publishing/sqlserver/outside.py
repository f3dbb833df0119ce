"""Views, and functions like them, that stay where they are and read what moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyodbc

from common.sqlserver import explain, identifier
from publishing.names import is_live

Place = tuple[str, str]
Query = Callable[..., list[tuple[Any, ...]]]
Types = Mapping[Place, Mapping[str, str]]

# What a view reads can't be told, because it names what isn't there; that may be said first.
_BROKEN = (2020, 207, 208, 4413)

# Schema and name, and which relation of this database it names.
_READERS = """
select s.name, o.name,
    coalesce(
        d.referenced_schema_name collate database_default,
        case when object_id(quotename(s.name) + '.' + quotename(d.referenced_entity_name)) is null
            then 'dbo' else s.name end
    ),
    d.referenced_entity_name
from sys.sql_expression_dependencies as d
inner join sys.objects as o on o.object_id = d.referencing_id
inner join sys.schemas as s on s.schema_id = o.schema_id
where o.type in ('V', 'IF') and d.referenced_class = 1 and d.referenced_server_name is null
    and coalesce(d.referenced_database_name, db_name()) = db_name()
"""
# The columns that a view reads, and whether it has `select *` of a relation: then it has those that
# there are, and names none.
_READ_COLUMNS = """
select
    r.referenced_schema_name, r.referenced_entity_name, r.referenced_minor_name, r.is_select_all
from sys.dm_sql_referenced_entities(?, 'OBJECT') as r
where r.referenced_class = 1
"""


@dataclass(frozen=True)
class OutsideView:
    """A view that stays where it is.

    `reads` are the columns that it names, by relation that moves; none if it reads it through
    another view. A broken one is left as it is, and so is one that this login may not change.
    """

    schema: str
    name: str
    reads: Mapping[Place, tuple[str, ...]]
    is_broken: bool = False
    is_ours: bool = True

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def readers(query: Query) -> list[tuple[str, str, str, str]]:
    """Each view with each relation that it names: two schemas, each with a name."""
    return [(schema, name, on, relation) for schema, name, on, relation in query(_READERS)]


def find(query: Query, places: Iterable[Place], fold: Callable[[str], str]) -> list[OutsideView]:
    """The live views that read one of these relations, or another view that does.

    Views of other generations and of next are not among them.
    """
    known = {(fold(schema), fold(name)): (schema, name) for schema, name in places}
    reads: dict[Place, set[Place]] = {}
    for schema, name, on, relation in readers(query):
        if is_live(schema) and (fold(schema), fold(name)) not in known:
            reads.setdefault((schema, name), set()).add((fold(on), fold(relation)))
    reached, found = set(known), set[Place]()
    while more := {one for one, theirs in reads.items() if theirs & reached} - found:
        found |= more
        reached |= {(fold(schema), fold(name)) for schema, name in more}
    return [
        _described(query, view, {one: known[one] for one in reads[view] & known.keys()}, fold)
        for view in sorted(found)
    ]


def unreadable(views: Sequence[OutsideView], now: Types, then: Types) -> list[str]:
    """What these views read that is gone by then; a type may change.

    And those that would show other columns than they have, if this login may not refresh them.
    """
    found = []
    for view in views:
        if view.is_broken:
            continue
        for place, names in sorted(view.reads.items()):
            relation, columns = ".".join(place), then.get(place)
            if columns is None:
                found.append(f"{view} reads {relation}, which is removed.")
                continue
            gone = [name for name in names if name not in columns]
            found += [f"{view} reads {relation}.{name}, which is no more there." for name in gone]
            if not (gone or view.is_ours) and list(now.get(place, ())) != list(columns):
                found.append(
                    f"{view} reads {relation}, whose columns change, and this login may not "
                    f"refresh it: grant it ALTER on {view}."
                )
    return found


def _described(
    query: Query, view: Place, relations: Mapping[Place, Place], fold: Callable[[str], str]
) -> OutsideView:
    name = identifier(*view)
    columns: dict[Place, set[str]] = {place: set() for place in relations.values()}
    whole = set()
    try:
        rows = query(_READ_COLUMNS, name)
    except pyodbc.Error as error:
        if explain(error).number not in _BROKEN:
            raise
        return OutsideView(*view, {}, is_broken=True)
    for schema, relation, column, is_whole in rows:
        place = relations.get((fold(schema or view[0]), fold(relation)))
        if place and is_whole:
            whole.add(place)
        elif place and column:
            columns[place].add(column)
    ((is_ours,),) = query("select has_perms_by_name(?, 'OBJECT', 'ALTER')", name)
    return OutsideView(
        *view,
        {place: () if place in whole else tuple(sorted(columns[place])) for place in columns},
        is_ours=bool(is_ours),
    )
