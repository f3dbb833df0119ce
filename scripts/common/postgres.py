"""Connections to Postgres, and the two kinds of quoting."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2.extensions import adapt


def identifier(*parts: str) -> str:
    """A quoted, possibly qualified name: `identifier('public', 'a"b')` is `"public"."a""b"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(value: object) -> str:
    """A quoted constant."""
    adapted = adapt(value)
    if hasattr(adapted, "encoding"):
        adapted.encoding = "utf8"
    return str(adapted.getquoted().decode())


def parse(url: str) -> dict[str, Any]:
    """The parts of a URL or a libpq connection string.

    Raises ValueError without the string's content, which may hold a password.
    """
    with suppress(psycopg2.ProgrammingError):
        parts = dict(psycopg2.extensions.parse_dsn(url))
        # A bare @ or / ends a password early: libpq takes the rest for the host, the port or the
        # database, and would show it in its message.
        if "://" not in url or not any("@" in parts.get(name, "") for name in ("host", "dbname")):
            return parts
    raise ValueError(
        "is not a Postgres URL (postgresql://user:password@host:port/database; "
        "write special characters of the password as %xx)"
    )


def password(url: str) -> str | None:
    """The password in a URL or connection string, if there is one."""
    with suppress(ValueError):
        return parse(url).get("password")
    return None


def connect(url: str, application_name: str) -> psycopg2.extensions.connection:
    """Opens a connection that speaks UTF-8 and UTC and notices a dead peer within a minute."""
    connection: psycopg2.extensions.connection = psycopg2.connect(
        **{
            "connect_timeout": 10,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            **parse(url),
            "application_name": application_name,
            "client_encoding": "UTF8",
        }
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        # Set here rather than through `options`, which a connection pooler may refuse.
        cursor.execute(
            "set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'"
        )
        cursor.execute("set extra_float_digits = 3")
    return connection
