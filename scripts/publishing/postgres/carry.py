"""What a new relation takes over from the one that it replaces, before it is published.

Owner, grants on the table and on columns, comments, options, indexes that dbt did not make,
extended statistics and statistics targets. A new one gets the default privileges of the live
schema, which a table that comes from another schema would not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from common.postgres import identifier, literal

Place = tuple[str, str]
Query = Callable[..., list[tuple[Any, ...]]]

# Names that dbt gives to indexes.
_BY_DBT = "^[0-9a-f]{32}$"

_GRANTS = """
select acl.privilege_type, coalesce(r.rolname, ''), acl.is_grantable, null
from pg_class c, aclexplode(c.relacl) acl left join pg_roles r on r.oid = acl.grantee
where c.oid = %s::regclass and acl.grantee <> c.relowner
union all
select acl.privilege_type, coalesce(r.rolname, ''), acl.is_grantable, a.attname
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped,
aclexplode(a.attacl) acl left join pg_roles r on r.oid = acl.grantee
where c.oid = %s::regclass and acl.grantee <> c.relowner
"""
_DEFAULT_GRANTS = """
select acl.privilege_type, coalesce(r.rolname, ''), acl.is_grantable, null
from pg_default_acl d join pg_namespace n on n.oid = d.defaclnamespace
join pg_roles o on o.oid = d.defaclrole,
aclexplode(d.defaclacl) acl left join pg_roles r on r.oid = acl.grantee
where n.nspname = %s and d.defaclobjtype = 'r' and o.rolname = current_user
and acl.grantee <> d.defaclrole
"""
_COMMENTS = """
select a.attname, d.description from pg_description d
left join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0
where d.classoid = 'pg_class'::regclass and d.objoid = %s::regclass
"""
_INDEXES = """
select pg_get_indexdef(i.indexrelid), c.relname from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = %s::regclass and i.indisvalid
and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)
"""
_KEYS = """
select k.conname, pg_get_constraintdef(k.oid) from pg_constraint k
where k.conrelid = %s::regclass and k.contype in ('p', 'u', 'x')
"""
_STATISTICS = """
select pg_get_statisticsobjdef(s.oid), s.stxname from pg_statistic_ext s
where s.stxrelid = %s::regclass
"""
_TARGETS = """
select a.attname, a.attstattarget from pg_attribute a
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
and a.attstattarget >= 0
"""


def statements(
    query: Query, live: Place | None, next_: Place, live_schema: str, *, grants_by_dbt: bool
) -> Iterator[str]:
    """The statements that make one relation in next like its live one, in order."""
    to = identifier(*next_)
    if live is None:
        if not grants_by_dbt:
            yield from _grants(query(_DEFAULT_GRANTS, live_schema), to, None)
        return
    source = identifier(*live)
    columns = {
        name
        for (name,) in query(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
            "and not attisdropped",
            to,
        )
    }
    ((owner, its_owner, kind, options),) = query(
        "select pg_get_userbyid(l.relowner), pg_get_userbyid(n.relowner), n.relkind, "
        # A view has other options than a table.
        "case when l.relkind = n.relkind then l.reloptions end from pg_class l, pg_class n "
        "where l.oid = %s::regclass and n.oid = %s::regclass",
        source,
        to,
    )
    what = "view" if kind == "v" else "table"
    if kind != "v":
        yield from _indexes(query, source, to)
        yield from _statistics(query, source, to, next_, columns)
    if options:
        yield f"alter {what} {to} set ({', '.join(options)})"
    yield from _comments(query, source, to, what, columns)
    if not grants_by_dbt:
        yield from _grants(query(_GRANTS, source, source), to, columns)
    if owner != its_owner:
        yield f"alter {what} {to} owner to {identifier(owner)}"


def view(query: Query, place: Place) -> Iterator[str]:
    """The statements that make a view again as it is now."""
    name = identifier(*place)
    ((definition, owner, options),) = query(
        "select pg_get_viewdef(oid), pg_get_userbyid(relowner), coalesce(reloptions, '{}') "
        "from pg_class where oid = %s::regclass",
        name,
    )
    with_options = f" with ({', '.join(options)})" if options else ""
    yield f"create view {name}{with_options} as {definition.rstrip().rstrip(';')}"
    yield f"alter view {name} owner to {identifier(owner)}"
    yield from _grants(query(_GRANTS, name, name), name, None)
    for column, text in query(_COMMENTS, name):
        on = f"column {name}.{identifier(column)}" if column is not None else f"view {name}"
        yield f"comment on {on} is {literal(text)}"


def _grants(rows: list[tuple[Any, ...]], to: str, columns: set[str] | None) -> Iterator[str]:
    for privilege, grantee, is_grantable, column in rows:
        if column is not None and columns is not None and column not in columns:
            continue
        whom = identifier(grantee) if grantee else "public"
        on = f" ({identifier(column)})" if column is not None else ""
        grantable = " with grant option" if is_grantable else ""
        yield f"grant {privilege}{on} on {to} to {whom}{grantable}"


def _comments(query: Query, source: str, to: str, what: str, columns: set[str]) -> Iterator[str]:
    theirs = {column for column, _ in query(_COMMENTS, to)}
    for column, text in query(_COMMENTS, source):
        if column in theirs or (column is not None and column not in columns):
            continue
        on = f"column {to}.{identifier(column)}" if column is not None else f"{what} {to}"
        yield f"comment on {on} is {literal(text)}"


def _indexes(query: Query, source: str, to: str) -> Iterator[str]:
    """Indexes that somebody made by hand."""
    theirs = {_shape(definition) for definition, _ in query(_INDEXES, to)}
    for definition, name in query(_INDEXES, source):
        if not re.match(_BY_DBT, name) and _shape(definition) not in theirs:
            yield _index(definition, name, to)


def copied_indexes(query: Query, source: str, to: str) -> Iterator[str]:
    """The statements that give a copied table the indexes and keys of its original, names too."""
    for definition, name in query(_INDEXES, source):
        yield _index(definition, name, to)
    for name, definition in query(_KEYS, source):
        yield f"alter table {to} add constraint {identifier(name)} {definition}"


def _index(definition: str, name: str, to: str) -> str:
    unique = "unique " if definition.startswith("CREATE UNIQUE") else ""
    return f"create {unique}index {identifier(name)} on {to} using {_shape(definition)}"


def _shape(definition: str) -> str:
    return definition.partition(" USING ")[2]


def _statistics(
    query: Query, source: str, to: str, next_: Place, columns: set[str]
) -> Iterator[str]:
    is_changed = False
    theirs = {definition.partition(" ON ")[2].rpartition(" FROM ")[0]
              for definition, _ in query(_STATISTICS, to)}  # fmt: skip
    for definition, name in query(_STATISTICS, source):
        on = definition.partition(" ON ")[2].rpartition(" FROM ")[0]
        kinds = definition.partition(" ON ")[0].partition("(")[2]
        if on in theirs:
            continue
        is_changed = True
        kinds = f" ({kinds}" if kinds else ""
        yield f"create statistics {identifier(next_[0], name)}{kinds} on {on} from {to}"
    known: dict[str, int] = dict(query(_TARGETS, to))
    for column, target in query(_TARGETS, source):
        if column in columns and known.get(column) != target:
            is_changed = True
            yield f"alter table {to} alter column {identifier(column)} set statistics {target}"
    if is_changed:
        yield f"analyze {to}"
