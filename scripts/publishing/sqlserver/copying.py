"""A table made again as it is: its columns, keys, rules and indexes.

What can't be made again is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from common.sqlserver import identifier
from extraction.sqlserver.landing_types import described
from publishing.errors import PublishError

Place = tuple[str, str]
Query = Callable[..., list[tuple[Any, ...]]]

_COLUMNS = """
select
    c.name, t.name, schema_name(t.schema_id), t.is_user_defined, c.max_length, c.[precision],
    c.scale, c.collation_name, c.is_nullable, c.is_computed, c.is_identity, c.is_sparse,
    c.is_rowguidcol, c.is_filestream, c.xml_collection_id
from sys.columns as c
inner join sys.types as t on t.user_type_id = c.user_type_id
where c.object_id = object_id(?)
order by c.column_id
"""
_COMPUTED = """
select name, [definition], is_persisted from sys.computed_columns where object_id = object_id(?)
"""
_IDENTITIES = """
select name, convert(varchar(40), ident_seed(t.name_)), convert(varchar(40), ident_incr(t.name_))
from (values (?)) as t (name_)
inner join sys.identity_columns on object_id = object_id(t.name_)
"""
_IS_MASKED = "select 1 from sys.columns where object_id = object_id(?) and is_masked = 1"
_MASKS = "select name, masking_function from sys.masked_columns where object_id = object_id(?)"
# Above zero for who sees values and not masks; rights on a table are known from SQL Server 2022 on.
_SEES = """
select coalesce(has_perms_by_name(quotename(db_name()), 'DATABASE', 'UNMASK'), 0)
    + coalesce(has_perms_by_name(?, 'OBJECT', 'UNMASK'), 0)
"""
_DEFAULTS = """
select d.name, d.is_system_named, c.name, d.[definition]
from sys.default_constraints as d
inner join sys.columns as c on c.object_id = d.parent_object_id and c.column_id = d.parent_column_id
where d.parent_object_id = object_id(?)
"""
_CHECKS = """
select name, is_system_named, [definition], is_disabled
from sys.check_constraints where parent_object_id = object_id(?)
"""
_INDEXES = """
select
    i.name, i.type, i.is_unique, i.is_primary_key, i.is_unique_constraint, k.is_system_named,
    i.filter_definition, i.fill_factor, i.is_padded, i.ignore_dup_key,
    (
        select max(p.data_compression_desc) from sys.partitions as p
        where p.object_id = i.object_id and p.index_id = i.index_id
    ),
    i.index_id
from sys.indexes as i
left join sys.key_constraints as k
    on k.parent_object_id = i.object_id and k.unique_index_id = i.index_id
where i.object_id = object_id(?) and i.is_hypothetical = 0 and i.is_disabled = 0
order by i.index_id
"""
_INDEX_COLUMNS = """
select k.index_id, c.name, k.is_descending_key, k.is_included_column
from sys.index_columns as k
inner join sys.columns as c on c.object_id = k.object_id and c.column_id = k.column_id
where k.object_id = object_id(?)
order by k.index_id, k.is_included_column, k.key_ordinal, k.index_column_id
"""
_HEAP, _CLUSTERED, _NONCLUSTERED, _CLUSTERED_STORE, _STORE = 0, 1, 2, 5, 6
_KINDS = {
    _CLUSTERED: "clustered",
    _NONCLUSTERED: "nonclustered",
    _CLUSTERED_STORE: "clustered columnstore",
    _STORE: "nonclustered columnstore",
}


@dataclass(frozen=True)
class Index:
    """An index, or the key that it belongs to; a heap is one without a name."""

    name: str | None
    type: int
    is_unique: bool
    is_primary_key: bool
    is_constraint: bool
    is_system_named: bool
    filter: str | None
    options: tuple[str, ...]
    keys: tuple[str, ...]
    included: tuple[str, ...]

    @property
    def is_clustered(self) -> bool:
        return self.type in (_CLUSTERED, _CLUSTERED_STORE)

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes two indexes the same, whatever they are called."""
        return (self.type, self.is_unique, self.filter, self.keys, self.included)

    def statement(self, table: str) -> str:
        """What makes it on a table, whose name is quoted."""
        kind = _KINDS[self.type]
        options = f" with ({', '.join(self.options)})" if self.options else ""
        if self.is_constraint:
            name = "" if self.is_system_named else f" constraint {identifier(self.name or '')}"
            key = "primary key" if self.is_primary_key else "unique"
            columns = ", ".join(self.keys)
            return f"alter table {table} add{name} {key} {kind} ({columns}){options}"
        unique = "unique " if self.is_unique else ""
        columns = ", ".join(self.included if self.type == _STORE else self.keys)
        on = f"{table} ({columns})" if columns else table
        included = ", ".join(self.included) if self.type == _NONCLUSTERED else ""
        include = f" include ({included})" if included else ""
        where = f" where {self.filter}" if self.filter else ""
        return (
            f"create {unique}{kind} index {identifier(self.name or '')} on {on}{include}{where}"
            f"{options}"
        )


def indexes(query: Query, place: Place) -> list[Index]:
    """The indexes and keys of a table, as they were made. Raises PublishError for other kinds."""
    table = identifier(*place)
    keys: dict[int, list[str]] = {}
    included: dict[int, list[str]] = {}
    for index_id, name, is_descending, is_included in query(_INDEX_COLUMNS, table):
        column = identifier(name) + (" desc" if is_descending else "")
        (included if is_included else keys).setdefault(index_id, []).append(column)
    found = []
    for row in query(_INDEXES, table):
        name, type_, is_unique, is_primary, is_unique_constraint, is_system_named = row[:6]
        filter_, fill_factor, is_padded, ignores, compression, index_id = row[6:]
        if type_ not in (_HEAP, *_KINDS):
            raise PublishError(
                f"{'.'.join(place)}: the index {name} is of a kind that can't be made again."
            )
        of_store = type_ == _CLUSTERED_STORE
        found.append(
            Index(
                name=name,
                type=type_,
                is_unique=bool(is_unique),
                is_primary_key=bool(is_primary),
                is_constraint=bool(is_primary or is_unique_constraint),
                is_system_named=bool(is_system_named),
                filter=filter_,
                options=tuple(_options(type_, fill_factor, is_padded, ignores, compression)),
                # All columns are in a clustered columnstore, and it names none.
                keys=() if of_store else tuple(keys.get(index_id, ())),
                included=() if of_store else tuple(included.get(index_id, ())),
            )
        )
    return found


def typed(name: str, schema: str, is_users: bool, length: int, precision: int, scale: int) -> str:
    """A type as it is written, from how the catalogue describes it."""
    if is_users:
        return identifier(schema, name)
    if name == "numeric":
        return f"numeric({precision},{scale})"
    return "real" if name == "float" and precision == 24 else described(
        name, length, precision, scale
    )  # fmt: skip


def table(query: Query, live: Place, copy: Place) -> tuple[list[str], list[str], list[str]]:
    """What makes a copy of a table: statements before its rows, the columns, statements after them.

    Rows go into the clustered index at once, which spares sorting or compressing them again; the
    other indexes are made of what is there. Raises PublishError for what can't be made again.
    """
    source, to = identifier(*live), identifier(*copy)
    definitions, filled = _columns(query, live)
    made = indexes(query, live)
    heap = next((one for one in made if one.type == _HEAP), None)
    storage = f" with ({', '.join(heap.options)})" if heap and heap.options else ""
    rules = [
        f"alter table {to} add{_named(name, is_system_named)} default {definition} for "
        f"{identifier(column)}"
        for name, is_system_named, column, definition in query(_DEFAULTS, source)
    ]
    for name, is_system_named, definition, is_disabled in query(_CHECKS, source):
        if is_disabled:
            raise PublishError(f"{'.'.join(live)}: the check {name} is disabled: drop it.")
        rules.append(f"alter table {to} add{_named(name, is_system_named)} check {definition}")
    before = [
        f"create table {to} ({', '.join(definitions)}){storage}",
        *(one.statement(to) for one in made if one.is_clustered),
    ]
    others = [one for one in made if one.type != _HEAP and not one.is_clustered]
    return before, filled, [*(one.statement(to) for one in others), *rules]


def _columns(query: Query, place: Place) -> tuple[list[str], list[str]]:
    source = identifier(*place)
    rows = query(_COLUMNS, source)
    computed = {name: rest for name, *rest in query(_COMPUTED, source)}
    identities = {name: rest for name, *rest in query(_IDENTITIES, source)}
    masked = masks(query, place)
    if masked and not query(_SEES, source)[0][0]:
        raise PublishError(
            f"{'.'.join(place)} has masks, and this login sees nothing behind them: a copy would "
            "have masks for values. Grant it UNMASK, or let the model build the table from nothing "
            "with --rebuild."
        )
    definitions, filled = [], []
    for row in rows:
        name, type_, schema, is_users, *size = row[:7]
        collation, is_nullable, is_computed, is_identity, is_sparse, is_rowguid = row[7:13]
        is_filestream, xml_collection = row[13:]
        if type_ == "timestamp" or is_filestream or xml_collection:
            raise PublishError(
                f"{'.'.join(place)}.{name}: a column of the type {type_} can't be copied with its "
                "values. Let the model build the table from nothing with --rebuild."
            )
        if is_computed:
            formula, is_persisted = computed[name]
            stored = " persisted" if is_persisted else ""
            stored += " not null" if is_persisted and not is_nullable else ""
            definitions.append(f"{identifier(name)} as {formula}{stored}")
            continue
        parts = [identifier(name), typed(type_, schema, is_users, *size)]
        parts += [f"collate {collation}"] if collation and not is_users else []
        parts += [masked[name]] if name in masked else []
        parts += [f"identity({', '.join(identities[name])})"] if is_identity else []
        parts += ["sparse"] if is_sparse else []
        parts += ["null" if is_nullable else "not null"]
        parts += ["rowguidcol"] if is_rowguid else []
        definitions.append(" ".join(parts))
        filled.append(name)
    return definitions, filled


def masks(query: Query, place: Place) -> dict[str, str]:
    """What masks the columns of a table that have a mask, as it is written in their definition."""
    table = identifier(*place)
    if not query(_IS_MASKED, table):  # not every server that speaks T-SQL can be asked for more
        return {}
    quoted = {name: mask.replace("'", "''") for name, mask in query(_MASKS, table)}
    return {name: f"masked with (function = '{mask}')" for name, mask in quoted.items()}


def has_identity(query: Query, place: Place) -> bool:
    return bool(query(_IDENTITIES, identifier(*place)))


def _named(name: str, is_system_named: bool) -> str:
    return "" if is_system_named else f" constraint {identifier(name)}"


def _options(
    type_: int, fill_factor: int, is_padded: bool, ignores: bool, compression: str | None
) -> Iterator[str]:
    if fill_factor and type_ in (_CLUSTERED, _NONCLUSTERED):
        yield f"fillfactor = {fill_factor}"
    if is_padded:
        yield "pad_index = on"
    if ignores:
        yield "ignore_dup_key = on"
    # What a columnstore has anyway goes without saying.
    if compression and compression not in ("NONE", "COLUMNSTORE"):
        yield f"data_compression = {compression.lower()}"
