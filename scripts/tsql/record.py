"""Lets dbt build the project for SQL Server with nobody at the other end of the line.

dbt runs as it always does, materializations, contracts, hooks, tests and unit tests included, but
its connection writes the statements down instead of sending them. What dbt asks about relations
is answered from a catalogue, so that both branches of `is_incremental()` can be taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.sqlserver.sqlserver_adapter import SQLServerAdapter
from dbt.adapters.sqlserver.sqlserver_connections import SQLServerConnectionManager
from dbt.adapters.sqlserver.sqlserver_relation import SQLServerRelation
from dbt.cli.main import dbtRunner
from dbt_common.events.contextvars import get_node_info

from tsql.columns import is_query, output_columns, rows_of_empty_tables
from tsql.statements import unwrapped

TARGET = "dev_sqlserver"
SNAPSHOT_COLUMNS = ["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"]
# What the adapter appends to a relation's name while it builds it.
SUFFIXES = ("__dbt_tmp_vw", "__dbt_tmp", "__dbt_temp", "__dbt_backup", "_snapshot_staging_temp")
CREATED_VIEW = re.compile(
    r'\s*create (or alter )?view [^\s]*\.["\[](?P<name>[^"\]]*)["\]] as (?P<query>.*)',
    re.IGNORECASE | re.DOTALL,
)
DESCRIBED_QUERY = re.compile(r"sp_describe_first_result_set @tsql = N'((?:[^']|'')*)'")
# Microbatch models build one batch, and backfills have their window.
BATCH = ["--event-time-start", "2024-01-01", "--event-time-end", "2024-01-02"]


@dataclass(frozen=True)
class Statement:
    """What dbt would have sent, and for which node."""

    sql: str
    node: str | None


@dataclass
class Recording:
    """What dbt would have sent in one invocation, and what it could not compile."""

    manifest: Any
    statements: list[Statement] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def record(project: Path, profiles: Path, files: Sequence[Path] = ()) -> Iterator[Recording]:
    """Builds the project, or what these files describe, twice: where nothing exists, and where
    everything does.

    Tests and analyses read their relations the same way in both; once is enough for them.
    """
    target_path = project / "target" / "tsql_gate"
    options = ["--target", TARGET, "--project-dir", str(project), "--profiles-dir", str(profiles)]
    options += ["--target-path", str(target_path), "--log-path", str(target_path)]
    options += ["--quiet", "--log-level-file", "none"]
    wanted = {file.resolve().relative_to(project.resolve()).as_posix() for file in files}
    no_tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]

    for everything_exists in (False, True):
        manifest = succeeded(dbtRunner().invoke(["parse", *options]))
        recording = Recording(manifest)
        chosen = described_by(wanted, manifest, only_if_it_may_exist=everything_exists)
        if files and not chosen:
            continue
        selected = ["--select", *chosen] if files else []
        with answered_by(Catalogue(manifest, everything_exists), recording):
            runner = dbtRunner(manifest=manifest)
            kinds = no_tests if everything_exists else []
            build = ["build", *options, "--log-level", "none", *BATCH, *kinds, *selected]
            results = list(succeeded(runner.invoke(build)))
            if not everything_exists:
                for command in also_to_run(manifest, chosen if files else None):
                    results += succeeded(runner.invoke([*command, *options, "--log-level", "none"]))
        for result in results:
            node = result.node
            if result.status in ("error", "runtime error"):
                recording.errors[node.unique_id] = result.message
            elif node.resource_type == "analysis":
                recording.statements.append(Statement(node.compiled_code, node.unique_id))
        yield recording


def succeeded(invocation: Any) -> Any:  # noqa: ANN401
    """What dbt returned; a failed node isn't a failed invocation."""
    if invocation.exception:
        raise RuntimeError(f"dbt stopped on target {TARGET}: {invocation.exception}")
    return invocation.result


def described_by(
    wanted: Set[str],
    manifest: Any,  # noqa: ANN401
    *,
    only_if_it_may_exist: bool,
) -> list[str]:
    """The names of the nodes that these files hold or configure; paths from the project's root.

    Optionally only those whose own SQL differs where they exist.
    """
    # A unit test runs with its model, and has no other SQL.
    tested = {one.model for one in manifest.unit_tests.values() if one.original_file_path in wanted}
    return sorted(
        node.name
        for node in manifest.nodes.values()
        if (
            {node.original_file_path, (node.patch_path or "").partition("://")[2]} & wanted
            or (node.resource_type == "model" and node.name in tested)
        )
        and (not only_if_it_may_exist or node.config.materialized in ("incremental", "snapshot"))
    )


def also_to_run(manifest: Any, chosen: list[str] | None) -> Iterator[list[str]]:  # noqa: ANN401
    """What `dbt build` leaves out."""
    analyses = [node.name for node in manifest.nodes.values() if node.resource_type == "analysis"]
    if chosen is not None:
        analyses = [name for name in analyses if name in chosen]
    if analyses:
        yield ["compile", "--select", *analyses]
    if manifest.sources and chosen is None:
        yield ["source", "freshness"]


class Catalogue:
    """The relations that dbt is told about, with the columns that their own SQL gives them."""

    def __init__(self, manifest: Any, everything_exists: bool) -> None:  # noqa: ANN401
        self.exists = everything_exists
        self.views: dict[str, str] = {}
        self.nodes = {
            (node.schema, node.identifier): node
            for node in [*manifest.nodes.values(), *manifest.sources.values()]
            if node.is_relational or node.resource_type == "source"
        }

    def relations(self, schema: Any) -> list[Any]:  # noqa: ANN401
        if not self.exists:
            return []
        return [
            SQLServerRelation.create(schema.database, schema.schema, name, type=kind_of(node))
            for (node_schema, name), node in self.nodes.items()
            if node_schema == schema.schema
        ]

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Names and types; a column without a declared type is a text."""
        node = self.nodes.get((schema, base_name(name)))
        if node is None:
            query = self.views.get(base_name(name))
            names = output_columns(query, self.names) if query else []
            return dict.fromkeys(names, "string")
        declared = {
            column.name.lower(): column.data_type or "string" for column in node.columns.values()
        }
        code = getattr(node, "compiled_code", None)
        names = output_columns(code, self.names) if code else list(declared)
        if node.resource_type == "snapshot":
            names += SNAPSHOT_COLUMNS
        return {column: declared.get(column, "string") for column in names}

    def learn(self, sql: str) -> None:
        """Notes the query behind each view that a statement makes."""
        for statement in unwrapped(sql):
            if match := CREATED_VIEW.match(statement):
                self.views[base_name(match["name"])] = match["query"]

    def names(self, schema: str, name: str) -> list[str]:
        return list(self.columns(schema, name))


def base_name(name: str) -> str:
    """The name of a relation that the adapter is building under another one."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def kind_of(node: Any) -> str:  # noqa: ANN401
    config = getattr(node, "config", None)
    return "view" if getattr(config, "materialized", None) == "view" else "table"


@contextmanager
def answered_by(catalogue: Catalogue, recording: Recording) -> Iterator[None]:
    """Replaces what the adapter would ask the server."""

    def open_connection(connection: Connection) -> Connection:
        connection.handle = Handle(catalogue, recording)
        connection.state = ConnectionState.OPEN
        return connection

    def relations(adapter: Any, schema: Any) -> list[Any]:  # noqa: ANN401
        return catalogue.relations(schema)

    def columns_of_relation(adapter: Any, relation: Any) -> list[Any]:  # noqa: ANN401
        return [
            adapter.Column.create(name, adapter.Column.translate_type(data_type))
            for name, data_type in catalogue.columns(relation.schema, relation.identifier).items()
        ]

    def columns_of_query(adapter: Any, sql: str) -> list[Any]:  # noqa: ANN401
        return [
            adapter.Column.create(name, "varchar") for name in output_columns(sql, catalogue.names)
        ]

    with (
        patch.object(SQLServerConnectionManager, "open", staticmethod(open_connection)),
        patch.object(SQLServerAdapter, "list_relations_without_caching", relations),
        patch.object(SQLServerAdapter, "list_schemas", lambda *_: []),
        patch.object(SQLServerAdapter, "get_columns_in_relation", columns_of_relation),
        patch.object(SQLServerAdapter, "get_column_schema_from_query", columns_of_query),
    ):
        yield


class Handle:
    """A connection of the driver, as far as dbt uses one."""

    autocommit = True

    def __init__(self, catalogue: Catalogue, recording: Recording) -> None:
        self.catalogue, self.recording = catalogue, recording

    def cursor(self) -> Cursor:
        return Cursor(self.catalogue, self.recording)

    def commit(self) -> None:
        """Nothing was written."""

    rollback = close = commit


class Cursor:
    """Writes statements down; answers as a server with empty tables would."""

    rowcount = -1

    def __init__(self, catalogue: Catalogue, recording: Recording) -> None:
        self.catalogue, self.recording = catalogue, recording
        self.sql = ""

    def execute(self, sql: str, bindings: Any = None) -> None:  # noqa: ANN401
        # The values of a seed travel beside its statement, which has question marks for them.
        self.sql = sql = sql.replace("?", "null") if bindings else sql
        self.catalogue.learn(sql)
        self.recording.statements.append(Statement(sql, get_node_info().get("unique_id")))

    @cached_property
    def answer(self) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names and rows; read only when dbt asks for them."""
        if "as should_warn" in self.sql:  # a data test
            return ["failures", "should_warn", "should_error"], [(0, "false", "false")]
        node = str(get_node_info().get("unique_id"))
        if node.startswith("source.") and "as snapshotted_at" in self.sql:
            now = datetime.now()  # SQL Server's timestamps have no zone
            return ["max_loaded_at", "snapshotted_at"], [(now, now)]
        if described := DESCRIBED_QUERY.search(self.sql):
            query = described[1].replace("''", "'")
            return ["name"], [(name,) for name in output_columns(query, self.catalogue.names)]
        query = next((sql for sql in reversed(list(unwrapped(self.sql))) if is_query(sql)), "")
        names = output_columns(query, self.catalogue.names)
        return names or ["value"], rows_of_empty_tables(query)

    @property
    def description(self) -> list[tuple[str, type]]:
        return [(name, str) for name in self.answer[0]]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.answer[1]

    def fetchmany(self, size: int = 0) -> list[tuple[Any, ...]]:
        return self.answer[1]

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self.answer[1]), None)

    def nextset(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""
