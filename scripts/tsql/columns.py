"""The columns that a query gives, read from its text."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

ColumnsOf = Callable[[str, str], list[str]]


def output_columns(sql: str, columns_of: ColumnsOf) -> list[str]:
    """Names in lower case; a star takes those of its relations, which `columns_of` knows.

    Nothing for a statement that is no query, or that sqlglot can't read.
    """
    query = last_query(sql)
    return columns_of_query(query, columns_of, {}) if query else []


def rows_of_empty_tables(sql: str) -> list[tuple[Any, ...]]:
    """What the query gives when every table is empty: one row if it counts, else none."""
    query = last_query(sql)
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return []
    if query.args.get("from_") and not any(part.find(exp.AggFunc) for part in query.selects):
        return []
    return [tuple(0 if part.find(exp.Count) else None for part in query.selects)]


def is_query(sql: str) -> bool:
    return last_query(sql) is not None


@lru_cache(maxsize=256)
def last_query(sql: str) -> Any:  # noqa: ANN401
    """The last query of a batch, as sqlglot's tree; None if there is none."""
    try:
        statements = sqlglot.parse(sql, read="tsql")
    except SqlglotError:
        return None
    return next((tree for tree in reversed(statements) if isinstance(tree, exp.Query)), None)


def columns_of_query(query: Any, columns_of: ColumnsOf, outer: dict[str, list[str]]) -> list[str]:  # noqa: ANN401
    ctes = dict(outer)
    for cte in query.ctes:
        ctes[cte.alias.lower()] = columns_of_query(cte.this, columns_of, ctes)
    if isinstance(query, exp.Subquery):
        return columns_of_query(query.this, columns_of, ctes)
    if isinstance(query, exp.SetOperation):
        return columns_of_query(query.left, columns_of, ctes)
    sources = {}
    joins = query.args.get("joins") or []
    # Only a star asks for them: a query that reads the model it is for would ask for itself.
    stars = any(column.is_star for column in query.selects)
    for source in [query.args.get("from_"), *joins] if stars else []:
        if source is not None:
            sources[source.this.alias_or_name.lower()] = columns_of_source(
                source.this, columns_of, ctes
            )
    names: list[str] = []
    for column in query.selects:
        if not column.is_star:
            names.append(column.alias_or_name.lower())
        elif isinstance(column, exp.Column):
            names += sources.get(column.table.lower(), [])
        else:
            names += [name for columns in sources.values() for name in columns]
    return names


def columns_of_source(source: Any, columns_of: ColumnsOf, ctes: dict[str, list[str]]) -> list[str]:  # noqa: ANN401
    alias = source.args.get("alias")
    if alias and alias.columns:
        return [column.name.lower() for column in alias.columns]
    if isinstance(source, exp.Subquery):
        return columns_of_query(source.this, columns_of, ctes)
    if isinstance(source, exp.Table) and not source.db and source.name.lower() in ctes:
        return ctes[source.name.lower()]
    return columns_of(source.db, source.name) if isinstance(source, exp.Table) else []
