"""Databases of the test server: cheap to make, gone afterwards.

A worker's databases are emptied and used again. Their names come again too, since dbt parses the
whole project anew for a name that it has not seen.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit, urlunsplit

import psycopg2
import psycopg2.extensions
import pyodbc
import pytest

from common import odbc, sqlserver
from common.postgres import identifier

# The Postgres to test on, where the role postgres needs no password; by default an embedded one.
PGHOST = "MEDALLION_TEST_PGHOST"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")

# The schemas that dbt builds; a question names them as they are in production.
BUILT = r"\b(?=(?:bronze|silver|gold|snapshots|seeds)\.)"

_taken: set[str] = set()
_empty: set[str] = set()  # what tests have left, to be used again
# The URL of a SQL Server on which its login may create databases.
SQLSERVER = "SQLSERVER_URL"


@dataclass(frozen=True)
class Database:
    """A database of the test server."""

    name: str

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/{self.name}?host={os.environ[PGHOST]}"

    @property
    def env(self) -> dict[str, str]:
        """The environment in which dbt's `dev` target is this database."""
        return {
            **os.environ,
            "MEDALLION_PGHOST": os.environ[PGHOST],
            "MEDALLION_PGDATABASE": self.name,
            "USER": "test",
        }

    @staticmethod
    def in_dev(statements: str) -> str:
        """Statements with the schemas of the `dev` target that `env` leads to."""
        return re.sub(BUILT, "dev_test_", statements)

    def has(self, schema: str, table: str) -> bool:
        return self.scalar("select to_regclass(%s)", [identifier(schema, table)]) is not None

    def cannot_drop_connections(self) -> str | None:
        """Why this server can't end another connection; None if it can."""
        return None

    def drop_schemas(self, *names: str) -> None:
        """Drops schemas, if they are there, with all that is in them."""
        for name in names:
            self.execute(f"drop schema if exists {identifier(name)} cascade")

    @contextmanager
    def connect(self) -> Iterator[psycopg2.extensions.connection]:
        with closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            yield connection

    def execute(self, statement: str, parameters: Sequence[Any] | None = None) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def query(
        self, statement: str, parameters: Sequence[Any] | None = None
    ) -> list[tuple[Any, ...]]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def scalar(self, statement: str, parameters: Sequence[Any] | None = None) -> Any:  # noqa: ANN401
        return self.query(statement, parameters)[0][0]


@contextmanager
def temporary_database(prefix: str, template: str = "template1") -> Iterator[Database]:
    """An empty database, or a copy; emptied or dropped afterwards, whoever is connected to it."""
    names = (f"{prefix}_{WORKER}_{number}" for number in count(1))
    name = next(name for name in names if name not in _taken)
    if name not in _empty or template != "template1":
        _drop_database(name)
        _administer(f"create database {identifier(name)} template {identifier(template)}")
    _taken.add(name)
    _empty.discard(name)
    try:
        yield Database(name)
    finally:
        if template == "template1" and _is_emptied(Database(name)):
            _empty.add(name)
        else:
            _drop_database(name)
        _taken.remove(name)


def drop_empty_databases() -> None:
    """Drops what was kept for further tests."""
    while _empty:
        _drop_database(_empty.pop())


def _drop_database(name: str) -> None:
    _administer(f"drop database if exists {identifier(name)} with (force)")


def _administer(statement: str) -> None:
    Database("postgres").execute(statement)


def _is_emptied(database: Database) -> bool:
    """Takes everything out of a database, a tenth of the work of a new one; whether it then is
    as it was.
    """
    try:
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            cursor.execute(
                "select string_agg(quote_ident(nspname), ', ') from pg_namespace "
                "where nspname !~ '^(pg_|information_schema$)'"
            )
            if (schemas := cursor.fetchall()[0][0]) is not None:
                cursor.execute(f"drop schema {schemas} cascade")
            cursor.execute(
                "create schema public authorization pg_database_owner;"
                "grant usage on schema public to public"
            )
            cursor.execute(
                "select datacl is null and oid not in (select setdatabase from pg_db_role_setting) "
                "and (select count(*) = 1 from pg_extension) "
                "and not exists (select from pg_default_acl) "
                "and not exists (select from pg_event_trigger) "
                "and not exists (select from pg_foreign_server) "
                "and not exists (select from pg_largeobject_metadata) "
                "and not exists (select from pg_publication) "
                "from pg_database where datname = current_database()"
            )
            return bool(cursor.fetchall()[0][0])
    except psycopg2.Error:  # it can't even be asked
        return False


@dataclass(frozen=True)
class SqlServerDatabase:
    """A database of the SQL Server that SQLSERVER_URL names."""

    name: str

    @property
    def url(self) -> str:
        parts = urlsplit(os.environ[SQLSERVER])
        # By its file, the driver has no pool, which would keep databases from being dropped.
        driver = urlencode({"driver": str(odbc.registered_driver() or odbc.DRIVER)}, safe="/")
        query = "&".join(filter(None, [parts.query, driver]))
        return urlunsplit(parts._replace(path=f"/{self.name}", query=query))

    @property
    def env(self) -> dict[str, str]:
        """The environment in which dbt's target `dev_sqlserver` is this database."""
        address = sqlserver.parse(self.url)
        return {
            **os.environ,
            "DEV_MSSQL_SERVER": address.host,
            "DEV_MSSQL_PORT": str(address.port),
            "DEV_MSSQL_USER": address.user,
            "DBT_ENV_SECRET_DEV_MSSQL_PASSWORD": address.password,
            "DEV_MSSQL_DATABASE": self.name,
            "USER": "test",
        }

    def drop_schemas(self, *names: str) -> None:
        """Drops schemas, if they are there, with their tables."""
        for name in names:
            tables = self.query(
                "select t.name from sys.tables as t "
                "inner join sys.schemas as s on s.schema_id = t.schema_id where s.name = %s",
                [name],
            )
            for (table,) in tables:
                self.execute(f"drop table {sqlserver.identifier(name, table)}")
            self.execute(f"drop schema if exists {sqlserver.identifier(name)}")

    @contextmanager
    def connect(self) -> Iterator[Any]:
        with closing(sqlserver.connect(self.url, "medallion test")) as connection:
            yield connection

    def execute(self, statement: str, parameters: Sequence[Any] | None = None) -> None:
        with self.connect() as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement.replace("%s", "?"), list(parameters or []))
            while cursor.nextset():
                pass

    def query(
        self, statement: str, parameters: Sequence[Any] | None = None
    ) -> list[tuple[Any, ...]]:
        with self.connect() as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement.replace("%s", "?"), list(parameters or []))
            return [tuple(row) for row in cursor.fetchall()]

    def scalar(self, statement: str, parameters: Sequence[Any] | None = None) -> Any:  # noqa: ANN401
        return self.query(statement, parameters)[0][0]

    def has(self, schema: str, table: str) -> bool:
        return self.scalar("select object_id(%s)", [f"{schema}.{table}"]) is not None

    def cannot_drop_connections(self) -> str | None:
        """Why this server can't end another connection; None if it can."""
        with self.connect() as victim:
            number = victim.execute("select @@spid").fetchval()
            try:
                self.execute(f"kill {number}")
            except pyodbc.Error as error:
                return f"this server can't end another connection: {error}"
        return None


def skip_for_want(why: str) -> NoReturn:
    """Skips what another server that speaks T-SQL lacks. Microsoft's lacks nothing."""
    if "Microsoft" in SqlServerDatabase("master").scalar("select @@version"):
        pytest.fail(why)
    pytest.skip(why)


def lacks(source: SqlServerDatabase, probe: str) -> str | None:
    """What a server says that can't do something; None if it can."""
    try:
        source.execute(probe)
    except pyodbc.Error as error:
        return str(sqlserver.explain(error))
    return None


def needs(source: SqlServerDatabase, capability: str, probe: str) -> None:
    """Skips, or fails, a test on a server that can't do what it is about."""
    if said := lacks(source, probe):
        skip_for_want(f"this server has no {capability}: {said}")


# The collation that a warehouse needs, and the nearest of a server that has no UTF-8 in `varchar`.
COLLATIONS = ("Latin1_General_100_BIN2_UTF8", "Latin1_General_100_BIN2")


@contextmanager
def temporary_sqlserver_database(
    prefix: str, collations: Sequence[str | None] = COLLATIONS
) -> Iterator[SqlServerDatabase]:
    """The same on SQL Server, with the first of the collations that it knows; None for its own."""
    name = f"{prefix}_{uuid.uuid4().hex[:12]}"
    admin = SqlServerDatabase("master")
    for collation in [*collations] * 3:  # again, because two at once may disturb each other
        try:
            collate = f" collate {collation}" if collation else ""
            admin.execute(f"create database [{name}]{collate}")
            break
        except pyodbc.Error as error:
            failure = error
            time.sleep(0.1)
    else:
        raise failure
    with suppress(pyodbc.Error):  # as docs/sqlserver.md advises; not every server knows it
        admin.execute(f"alter database [{name}] set read_committed_snapshot on")
    try:
        yield SqlServerDatabase(name)
    finally:
        _drop(admin, name)


def _drop(admin: SqlServerDatabase, name: str) -> None:
    """Drops a database as soon as those who were connected to it are gone."""
    with suppress(pyodbc.Error):  # not every server knows it
        admin.execute(f"alter database [{name}] set single_user with rollback immediate")
    deadline = time.monotonic() + 20
    while True:
        try:
            return admin.execute(f"drop database [{name}]")
        except pyodbc.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
