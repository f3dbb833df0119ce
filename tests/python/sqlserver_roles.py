"""Logins that are members of the roles of scripts/sqlserver, and of nothing else."""

from __future__ import annotations

import multiprocessing
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import pyodbc

from common import sqlserver
from common.project import ROOT
from databases import SqlServerDatabase, skip_for_want

SCRIPTS = ROOT / "scripts" / "sqlserver"
WAREHOUSE = (SCRIPTS / "warehouse_roles.sql").read_text()
SOURCE = (SCRIPTS / "source_role.sql").read_text()


@dataclass(frozen=True)
class Login(SqlServerDatabase):
    """A database, seen by a login of its own."""

    user: str
    password: str

    @property
    def url(self) -> str:
        parts = urlsplit(super().url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{self.user}:{quote(self.password)}@{host}"))

    def may(self, *statements: str) -> list[bool]:
        """Which statements the login may execute.

        In a process of its own, because the sessions that a pool keeps hold on to the login.
        """
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            return process.submit(_allowed, self, statements).result()


def _allowed(login: Login, statements: Sequence[str]) -> list[bool]:
    allowed = []
    for statement in statements:
        try:
            login.execute(statement)
        except pyodbc.Error as error:
            assert re.search(r"permission|denied|privilege", str(error)), error
            allowed.append(False)
        else:
            allowed.append(True)
    return allowed


def make_roles(database: SqlServerDatabase, script: str, times: int = 1) -> None:
    """Runs one of the scripts, as its administrator does."""
    for _ in range(times):
        try:
            database.execute(script)
        except pyodbc.Error as error:
            skip_for_want(f"this server can't make the roles: {sqlserver.explain(error)}")


@contextmanager
def login(database: SqlServerDatabase, *roles: str) -> Iterator[Login]:
    """A login that is a member of these roles, or of none.

    It is gone afterwards, and its user with the database, which may have granted what keeps it.
    """
    user, password = f"medallion_{secrets.token_hex(6)}", f"Aa1!{secrets.token_hex(12)}"
    database.execute(f"create login {user} with password = '{password}'")
    try:
        database.execute(f"create user {user} for login {user}")
        for role in roles:
            database.execute(f"alter role medallion_{role} add member {user}")
        yield Login(database.name, user, password)
    finally:
        _drop(database, user)


def _drop(database: SqlServerDatabase, login: str) -> None:
    """As soon as its sessions are gone, which may take a moment longer than their processes."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return database.execute(f"drop login {login}")
        except pyodbc.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
