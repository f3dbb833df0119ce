"""What the dbt YAML says of each table that is extracted: `config.meta.extract`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from extraction.errors import ExtractError
from extraction.http.settings import (
    SOURCE_KEYS,
    TABLE_KEYS,
    HttpSettings,
    declared_types,
    http_settings,
)
from extraction.names import landing_name

MODES = ("full", "cursor", "compare")
KINDS = ("postgres", "sqlserver", "http")
# The schema of a table whose `from` does not say it.
_SCHEMAS = {"postgres": ("public",), "sqlserver": ("dbo",), "http": ()}
DRIFT_POLICIES = ("evolve", "freeze", "ignore")
DELETES = ("none", "soft")

_SOURCE_KEYS = {"kind", "connection"}
_TABLE_KEYS = {
    *("from", "mode", "cursor", "lookback", "primary_key", "deletes"),
    *("schema_drift", "rename", "exclude"),
}


@dataclass(frozen=True)
class TableSpec:
    """One table to extract.

    `from_` is the name at the source, outermost part first; `cursor`, `primary_key`, `exclude` and
    the keys of `rename` are the source's own column names. `lookback` is an interval that the
    source understands for a cursor in time (`10 minutes`), a number for one in numbers.
    `columns` are those that the YAML declares, with their `data_type`, and `http` what it says of
    an API: for sources of `kind: http` only, because any other source tells its columns itself.
    """

    source: str
    table: str
    kind: str
    connection: str
    from_: tuple[str, ...]
    landing: tuple[str, str]
    mode: str = "full"
    cursor: str | None = None
    lookback: str | None = None
    primary_key: tuple[str, ...] = ()
    deletes: str = "none"
    schema_drift: str = "evolve"
    rename: Mapping[str, str] = field(default_factory=dict)
    exclude: frozenset[str] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    http: HttpSettings | None = None

    @property
    def name(self) -> str:
        return f"{self.source}.{self.table}"

    def lands_as(self, column: str) -> str:
        """The landing name of a column, given the source's own."""
        return self.rename.get(column) or landing_name(column)

    @property
    def landed_key(self) -> list[str]:
        """The primary key by its landing names."""
        return [self.lands_as(column) for column in self.primary_key]


def table_specs(manifest: Any) -> list[TableSpec]:  # noqa: ANN401  # dbt's Manifest
    """All tables of the manifest's sources that declare how they are extracted.

    Raises ExtractError that names file, table and remedy if a declaration is wrong.
    """
    specs = []
    for node in manifest.sources.values():
        source = (node.source_meta or {}).get("extract")
        table = (node.config.meta or node.meta or {}).get("extract")
        if source is None and table is None:
            continue
        where = f"{node.original_file_path}: {node.source_name}.{node.name}"
        specs.append(_table_spec(where, node, source or {}, table or {}))
    return sorted(specs, key=lambda spec: spec.name)


def _table_spec(
    where: str,
    node: Any,  # noqa: ANN401  # dbt's SourceDefinition
    source: Mapping[str, Any],
    table: Mapping[str, Any],
) -> TableSpec:
    # dbt hands the source's meta down to each table; what the source says is not the table's.
    is_http = source.get("kind") == "http"
    source_keys = _SOURCE_KEYS | (SOURCE_KEYS if is_http else set())
    table = {key: value for key, value in table.items() if key not in source_keys}
    _known(where, source, source_keys)
    _known(where, table, _TABLE_KEYS | (TABLE_KEYS if is_http else set()))
    for key in _SOURCE_KEYS:
        if not source.get(key):
            raise ExtractError(f"{where}: the source's config.meta.extract needs `{key}`.")
    mode = table.get("mode", "full")
    _one_of(where, "kind", source["kind"], KINDS)
    _one_of(where, "mode", mode, MODES)
    _one_of(where, "deletes", table.get("deletes", "none"), DELETES)
    _one_of(where, "schema_drift", table.get("schema_drift", "evolve"), DRIFT_POLICIES)
    spec = TableSpec(
        source=node.source_name,
        table=node.name,
        kind=source["kind"],
        connection=source["connection"],
        from_=_parts(where, table.get("from", [*_SCHEMAS[source["kind"]], node.name])),
        landing=(node.schema, node.identifier),
        mode=mode,
        cursor=table.get("cursor"),
        lookback=None if table.get("lookback") is None else str(table["lookback"]),
        primary_key=tuple(_as_list(table.get("primary_key"))),
        deletes=table.get("deletes", "none"),
        schema_drift=table.get("schema_drift", "evolve"),
        rename=dict(table.get("rename") or {}),
        exclude=frozenset(_as_list(table.get("exclude"))),
        columns=declared_types(where, _data_types(node)) if is_http else {},
        http=http_settings(where, source, table) if is_http else None,
    )
    if (mode == "cursor") != (spec.cursor is not None):
        raise ExtractError(f"{where}: `mode: cursor` and `cursor: <column>` go together.")
    if (mode != "full" or spec.deletes == "soft") and not spec.primary_key:
        raise ExtractError(
            f"{where}: the modes cursor and compare, and soft deletes, need a `primary_key`."
        )
    if is_http and not str(spec.lookback or 0).isdigit():
        raise ExtractError(f"{where}: the `lookback` of an http source is a number of ids.")
    if lost := spec.exclude & {spec.cursor or "", *spec.primary_key}:
        raise ExtractError(f"{where}: {', '.join(sorted(lost))} can't be excluded.")
    return spec


def _data_types(node: Any) -> dict[str, Any]:  # noqa: ANN401  # dbt's SourceDefinition
    """The `data_type` of each column that the YAML declares, landing's own metadata left out."""
    return {
        name: column.data_type for name, column in node.columns.items() if not name.startswith("_")
    }


def select(
    specs: Iterable[TableSpec], sources: Iterable[str], tables: Iterable[str]
) -> list[TableSpec]:
    """The specs of the named sources and tables (`rental`, `pagila.rental`); all if none is named.

    Raises ExtractError with the nearest names if one is unknown.
    """
    specs, sources, tables = list(specs), list(sources), list(tables)
    for name in sources:
        _known_name("source", name, {spec.source for spec in specs})
    chosen = [spec for spec in specs if not sources or spec.source in sources]
    known = {spec.table for spec in chosen} | {spec.name for spec in chosen}
    for name in tables:
        _known_name("table", name, known)
    return [spec for spec in chosen if not tables or {spec.table, spec.name} & set(tables)]


def _known_name(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3) or sorted(known)[:10]
        raise ExtractError(
            f"No {what} `{name}` is declared in the dbt sources. Near: {', '.join(near)}."
        )


def _known(where: str, given: Mapping[str, Any], keys: set[str]) -> None:
    for key in given.keys() - keys:
        near = difflib.get_close_matches(key, keys, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else f" Known: {', '.join(sorted(keys))}."
        raise ExtractError(f"{where}: unknown key `{key}` in config.meta.extract.{hint}")


def _one_of(where: str, key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ExtractError(f"{where}: `{key}: {value}` is not one of {', '.join(allowed)}.")


def _parts(where: str, name: object) -> tuple[str, ...]:
    parts = tuple(name.split(".")) if isinstance(name, str) else tuple(map(str, _as_list(name)))
    if not parts or not all(parts):
        raise ExtractError(
            f"{where}: `from` is a name like `public.rental`, or a list of its parts."
        )
    return parts


def _as_list(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
