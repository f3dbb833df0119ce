"""The warehouse, the sources, the embedded server, the port of the documentation."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
from urllib3.util import parse_url

from common import postgres, sqlserver
from common.dbt_project import (
    DbtProjectError,
    manifest,
    target_name,
    warehouse_credentials,
    warehouse_url,
)
from common.embedded_postgres import Cluster
from common.project import ROOT
from common.sources import EXAMPLES, kind_of, source_url
from diagnosis.connection import first_line, remedy
from diagnosis.finding import Finding, ok, problem, warning
from diagnosis.sqlserver_source import check_sqlserver_source
from extraction.engines import open_reader
from extraction.errors import ExtractError, redact
from extraction.spec import TableSpec, table_specs

GIGABYTE = 10**9
ENOUGH_DISK = 2 * GIGABYTE
CONNECT_TIMEOUT = 10


def where(url: str) -> str:
    """Whom a URL connects to what, without the password."""
    parts = postgres.parse(url)
    host = parts.get("host", "the default socket")
    return f"{parts.get('user', '')}@{host}/{parts.get('dbname', '')}"


def ask(url: str, statement: str = "select 1") -> list[tuple[Any, ...]]:
    """Asks a Postgres one question."""
    options = {"connect_timeout": CONNECT_TIMEOUT, **postgres.parse(url)}
    with closing(psycopg2.connect(**options)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def failed(check: str, url: str, error: Exception) -> Finding:
    text = redact(str(error), postgres.password(url), url)
    cure = remedy(text, "postgres")
    if str(Cluster.of_clone(ROOT).socket_dir) in url:
        cure = "`make up` starts the embedded server and makes its database."
    return problem(check, first_line(text), cure)


def check_warehouse(target: str) -> Finding:
    check = "warehouse"
    try:
        credentials = warehouse_credentials(target)
    except DbtProjectError as error:
        return problem(check, first_line(str(error)), "Mend profiles.yml.")
    if credentials.type != "postgres":
        return _check_sqlserver(check, credentials)
    url = warehouse_url(target)
    try:
        version = ask(url, "show server_version")[0][0]
    except (psycopg2.Error, ValueError) as error:
        return failed(check, url, error)
    return ok(check, f"{where(url)} answers (Postgres {version})")


def _check_sqlserver(check: str, credentials: Any) -> Finding:  # noqa: ANN401  # dbt's Credentials
    try:
        with closing(
            sqlserver.connect_as_dbt(credentials, "medallion", login_timeout=CONNECT_TIMEOUT)
        ):
            return ok(check, f"{credentials.UID}@{credentials.host} answers")
    except Exception as error:  # dbt has errors of its own for a profile that cannot be
        said = redact(str(error), credentials.PWD, credentials.client_secret)
        return problem(check, first_line(said), remedy(said, "sqlserver"))


def check_sources(target: str | None) -> list[Finding]:
    """One finding for each source that the project declares.

    With the target as it was asked for: to dbt the default one, named, is another one, for which it
    parses the whole project again, and once more for whoever doesn't name it.
    """
    try:
        name = target_name(target)
        specs = table_specs(manifest(target))
    except (DbtProjectError, ExtractError) as error:
        cure = "`dbt parse` says more."
        return [problem("sources", first_line(str(error)), cure)]
    sources = dict.fromkeys(spec.source for spec in specs)
    return [_check_source([spec for spec in specs if spec.source == one], name) for one in sources]


def _check_source(tables: list[TableSpec], target: str) -> Finding:
    check, variable = f"source {tables[0].source}", tables[0].connection
    url = source_url(tables[0].source, variable, target)
    if url is None:
        cure = f"Set {variable} to its URL ({EXAMPLES[tables[0].kind]})."
        return problem(check, f"{variable} is not set", cure)
    if kind_of(url) == "http":
        return _check_api(check, url, tables[0])
    if kind_of(url) == "sqlserver":
        return check_sqlserver_source(check, url, tables)
    return _check_database(check, url, tables)


def _check_database(check: str, url: str, tables: list[TableSpec]) -> Finding:
    variable = tables[0].connection
    try:
        unreadable = _unreadable(url, tables)
    except ValueError as error:
        return problem(check, f"{variable} {error}", f"Write {variable} as .env.example shows.")
    except psycopg2.Error as error:
        if variable not in os.environ and "does not exist" in str(error):
            return warning(check, "the demo source is not made yet", "`make demo` makes it.")
        return failed(check, url, error)
    if unreadable:
        cure = "Grant select on them to this user, or mend the names in the source's YAML."
        return problem(check, f"{where(url)} cannot read {', '.join(unreadable)}", cure)
    return ok(check, f"{where(url)}: {len(tables)} tables can be read")


def _check_api(check: str, url: str, table: TableSpec) -> Finding:
    """Whether an item API says its newest id."""
    try:
        reader = open_reader(table, url, wait=0)
    except ExtractError as error:
        cure = f"Check {table.connection}, the proxy (HTTPS_PROXY), and whether the API is up."
        return problem(check, redact(first_line(str(error)), url), cure)
    with closing(reader):
        host = parse_url(url).host
        return ok(check, f"{host} answers: about {reader.estimate(table, None):,} items")


def _unreadable(url: str, tables: Iterable[TableSpec]) -> list[str]:
    """The tables that are missing or that this user may not read."""
    names = [postgres.identifier(*table.from_) for table in tables]
    listed = ", ".join(f"({postgres.literal(name)})" for name in names)
    readable = (
        "case when to_regclass(name) is null then false "
        "else has_schema_privilege(schema.oid, 'usage') "
        "and has_table_privilege(to_regclass(name), 'select') end"
    )
    rows = ask(
        url,
        f"select name, {readable} from (values {listed}) as declared (name) "
        "left join pg_class as class on class.oid = to_regclass(name) "
        "left join pg_namespace as schema on schema.oid = class.relnamespace",
    )
    return sorted(name.replace('"', "") for name, may in rows if not may)


def check_server(cluster: Cluster) -> Finding:
    """The embedded server of this clone."""
    check = "embedded server"
    if cluster.is_running():
        return ok(check, f"runs, socket in {cluster.socket_dir}")
    if not cluster.data.exists():
        return warning(check, "not made yet", "`make up` makes and starts it.")
    if (cluster.data / "postmaster.pid").exists():
        found = "was killed: its postmaster.pid is stale"
        return warning(check, found, "`make up` starts it; it recovers by itself.")
    return warning(check, "is stopped", "`make up` starts it.")


def check_disk(folder: Path) -> Finding:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / GIGABYTE:.1f} GB free at {folder}"
    if free < ENOUGH_DISK:
        return problem("disk", found, "Make room: the server stops when it cannot write.")
    return ok("disk", found)


def check_port(port: int) -> Finding:
    """Whether `make docs` can serve."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            cure = f"Serve the documentation elsewhere: `make docs PORT={port + 1}`."
            return warning("port", f"{port} is taken", cure)
    return ok("port", f"{port} is free for `make docs`")
