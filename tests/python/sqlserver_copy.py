"""A demo source on SQL Server, where it is in production, with the types that it has there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from common.postgres import identifier as quoted
from common.sqlserver import identifier, literal
from databases import Database, SqlServerDatabase

# By the type in the demo. Names of people need all of Unicode, whatever the code page.
_TYPES = (
    (r"boolean", "bit"),
    (r"uuid", "uniqueidentifier"),
    (r"integer", "int"),
    (r"smallint", "smallint"),
    (r"numeric\(19,4\)", "money"),
    (r"numeric\(10,4\)", "smallmoney"),
    (r"numeric\((\d+,\d+)\)", r"decimal(\1)"),
    (r"character varying\((\d+)\)", r"nvarchar(\1)"),
    (r"character\((\d+)\)", r"nchar(\1)"),
    (r"timestamp\((\d)\) without time zone", r"datetime2(\1)"),
    (r"timestamp without time zone", "datetime2(6)"),
)
# As Microsoft's sample database has them: `datetime` where the demo has whole days.
_OF_COLUMNS = {
    **dict.fromkeys(["RevisionNumber", "Status"], "tinyint"),
    **dict.fromkeys(["StartDate", "EndDate", "SellStartDate", "SellEndDate"], "datetime"),
}
AT_ONCE = 500  # rows; `values` takes a thousand
_COLUMNS = """
    select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        coalesce(a.attnum = any (i.indkey), false)
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_index as i on i.indrelid = c.oid and i.indisprimary
    where c.relkind = 'r' and n.nspname not in ('demo', 'pg_catalog', 'information_schema')
    order by c.oid, a.attnum
"""


def copy(source: Database, to: SqlServerDatabase) -> None:
    """Makes the tables of a source, if they are missing, and gives them the rows of today."""
    tables: dict[tuple[str, str], dict[str, str]] = {}
    keys: dict[tuple[str, str], list[str]] = {}
    for schema, table, column, type_, is_not_null, is_key in source.query(_COLUMNS):
        made = _OF_COLUMNS.get(column) or _type(type_)
        tables.setdefault((schema, table), {})[column] = (
            f"{made} {'not null' if is_not_null else 'null'}"
        )
        if is_key:
            keys.setdefault((schema, table), []).append(column)
    for place, columns in tables.items():
        if not to.has(*place):
            _make(to, place, columns, keys.get(place, []))
        rows = source.query(f"select {', '.join(map(quoted, columns))} from {quoted(*place)}")
        _fill(to, place, columns, rows)


def _type(demo: str) -> str:
    for pattern, type_ in _TYPES:
        if (match := re.fullmatch(pattern, demo)) is not None:
            return match.expand(type_)
    raise AssertionError(f"no type of SQL Server for {demo}")


def _make(
    to: SqlServerDatabase, place: tuple[str, str], columns: Mapping[str, str], key: list[str]
) -> None:
    if not to.query("select 1 from sys.schemas where name = %s", [place[0]]):
        to.execute(f"create schema {identifier(place[0])}")
    definitions = [f"{identifier(name)} {type_}" for name, type_ in columns.items()]
    if key:
        definitions.append(f"primary key ({', '.join(map(identifier, key))})")
    to.execute(f"create table {identifier(*place)} ({', '.join(definitions)})")


def _fill(
    to: SqlServerDatabase, place: tuple[str, str], columns: Mapping[str, str], rows: list[Any]
) -> None:
    table, names = identifier(*place), ", ".join(map(identifier, columns))
    # As constants: not every server that speaks T-SQL takes all of a moment as a parameter.
    values = [f"({', '.join(map(literal, row))})" for row in rows]
    inserts = [
        f"insert into {table} ({names}) values {', '.join(values[start : start + AT_ONCE])}"
        for start in range(0, len(values), AT_ONCE)
    ]
    to.execute(
        "; ".join(
            [
                *("set nocount on", "set xact_abort on", "begin transaction"),
                *(f"delete from {table}", *inserts, "commit transaction"),
            ]
        )
    )
