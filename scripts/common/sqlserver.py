"""Connections to SQL Server, and the two kinds of quoting.

A URL is `sqlserver://user:password@host:port/database?option=value&…`. Its options are those of
Microsoft's ODBC driver, written as `trust_server_certificate` or as `TrustServerCertificate`.
"""

from __future__ import annotations

import difflib
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from common import odbc

if TYPE_CHECKING:
    import pyodbc

SCHEMES = ("sqlserver", "mssql")
PORT = 1433
LOGIN_TIMEOUT = 15  # seconds, for each try of a connection

# What a URL may ask for, by the driver's own keywords.
_OPTIONS = (
    *("Encrypt", "TrustServerCertificate", "HostNameInCertificate", "ServerCertificate"),
    *("Authentication", "Trusted_Connection", "ServerSPN", "ApplicationIntent"),
    *("MultiSubnetFailover", "IpAddressPreference", "KeepAlive", "KeepAliveInterval"),
    *("ConnectRetryCount", "ConnectRetryInterval", "PacketSize", "Driver"),
)
_DATETIMEOFFSET = -155
# SQL_ATTR_RESET_CONNECTION, SQL_RESET_CONNECTION_YES
_RESET_CONNECTION = (116, 1)
_NOT_A_URL = (
    "is not a SQL Server URL (sqlserver://user:password@host:port/database; "
    "write special characters of the password as %xx)"
)


class SqlServerError(RuntimeError):
    """What the driver or the server said, in one line; `state` is the SQLSTATE, if there is one.

    `number` is the server's own number of the error, 0 if it is the driver's.
    """

    def __init__(self, message: str, state: str = "", number: int = 0) -> None:
        super().__init__(message)
        self.state = state
        self.number = number


@dataclass(frozen=True)
class Address:
    """Whom a URL connects to what; `options` are the driver's own keywords."""

    host: str
    port: int
    database: str
    user: str
    password: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        """Without the password."""
        return f"{self.user}@{self.host}/{self.database}".removeprefix("@")


def identifier(*parts: str) -> str:
    """A quoted, possibly qualified name: `identifier('dbo', 'a]b')` is `[dbo].[a]]b]`."""
    return ".".join("[" + part.replace("]", "]]") + "]" for part in parts)


def literal(value: object) -> str:  # noqa: PLR0911  # one per type
    """A quoted constant; of a time with zone a `datetimeoffset`. Raises TypeError for others."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"cast({int(value)} as bit)"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, float) and isfinite(value):
        return f"{value:.16e}"  # without an exponent it would be a decimal
    if isinstance(value, str):
        return "N'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes | bytearray | memoryview):
        return "0x" + bytes(value).hex()
    if isinstance(value, datetime):
        type_ = "datetimeoffset(6)" if value.tzinfo else "datetime2(6)"
        return f"cast('{value.isoformat(' ', 'microseconds')}' as {type_})"
    if isinstance(value, date | time):
        type_ = "date" if isinstance(value, date) else "time(6)"
        return f"cast('{value.isoformat()}' as {type_})"
    raise TypeError(f"no SQL Server constant for a {type(value).__name__}")


def parse(url: str) -> Address:
    """The parts of a URL.

    Raises ValueError without the URL's content, which may hold a password; of options only the name
    is told.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError:
        raise ValueError(_NOT_A_URL) from None
    database = unquote(parts.path.strip("/"))
    whole = parts.hostname and database and "/" not in parts.path.strip("/")
    # A bare # ends a URL, a bare @ or / a password: the rest would be taken for something else.
    is_cut = parts.fragment or "@" in (parts.path + (parts.hostname or ""))
    if parts.scheme.lower() not in SCHEMES or not whole or is_cut:
        raise ValueError(_NOT_A_URL)
    options = _options(parts.query)
    if not (parts.username or {"Authentication", "Trusted_Connection"} & options.keys()):
        raise ValueError(
            "names no user: write user:password@ before the host, or an option such as "
            "?authentication=ActiveDirectoryMsi or ?trusted_connection=yes"
        )
    return Address(
        host=parts.hostname or "",
        port=port,
        database=database,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        options=options,
    )


def password(url: str) -> str | None:
    """The password in a URL, if there is one."""
    try:
        return parse(url).password or None
    except ValueError:
        return None


def connect(
    url: str,
    application_name: str,
    *,
    autocommit: bool = True,
    login_timeout: int = LOGIN_TIMEOUT,
) -> pyodbc.Connection:
    """Opens a connection: encrypted, and to a certificate that is trusted, unless the URL differs.

    Text arrives as UTF-16, whatever the server's code page is, and `datetimeoffset` as a datetime
    with zone. Raises ValueError for a URL that is none, and SqlServerError.
    """
    return _open(_connection_string(parse(url), application_name), {}, autocommit, login_timeout)


def connect_as_dbt(
    credentials: Any,  # noqa: ANN401  # dbt's SQLServerCredentials
    application_name: str,
    *,
    autocommit: bool = True,
    login_timeout: int = LOGIN_TIMEOUT,
) -> pyodbc.Connection:
    """Opens the connection of a dbt target on SQL Server, by each of the ways dbt logs in.

    Raises SqlServerError, and dbt's own error for a profile that contradicts itself.
    """
    from dbt.adapters.sqlserver.sqlserver_auth import get_pyodbc_attrs_before_credentials
    from dbt.adapters.sqlserver.sqlserver_backend import build_pyodbc_connection_string

    text = build_pyodbc_connection_string(credentials)
    before, _, after = text.rpartition(";APP=")
    rest = after.partition(";")[2]
    text = f"{before};APP={_quoted(application_name)};{rest}"
    attributes = get_pyodbc_attrs_before_credentials(credentials)
    timeout = credentials.login_timeout or login_timeout
    return _open(text, attributes, autocommit, timeout)


def explain(error: Exception) -> SqlServerError:
    """An error of pyodbc in one line, without the names of the layers that it came through."""
    text = str(error.args[1] if len(error.args) > 1 else error)
    state = str(error.args[0]) if len(error.args) > 1 else ""
    number = next((int(n) for n in re.findall(r"\((\d+)\) \(SQL\w+\)", text)), 0)
    text = re.sub(r"\[[0-9A-Z]{5}\] (?=\[)|\[(?:Microsoft|unixODBC|SQL Server)\]", "", text)
    text = re.sub(rf"\[(?:{re.escape(odbc.DRIVER)}|Driver Manager)\]", "", text)
    text = re.sub(r" \(SQL\w+\)", "", text)
    said = dict.fromkeys(part.strip() for part in text.split("; "))
    return SqlServerError(" ".join("; ".join(said).split()), state, number)


def _open(
    connection_string: str, attributes: Mapping[int, Any], autocommit: bool, login_timeout: int
) -> pyodbc.Connection:
    try:
        import pyodbc
    except ImportError as error:
        raise SqlServerError(
            f"the ODBC manager can't be loaded ({error}): `make doctor` says what to install"
        ) from None
    try:
        connection = pyodbc.connect(
            connection_string,
            autocommit=True,
            timeout=login_timeout,
            attrs_before=dict(attributes),
        )
        # unixODBC's pool gives back a session as it was left, temporary tables and settings
        # included. This travels with the first statement, before what that asks for.
        connection.set_attr(*_RESET_CONNECTION)
        connection.autocommit = autocommit
    except pyodbc.Error as error:
        raise explain(error) from None
    # As UTF-16 even what is `varchar`: otherwise the driver turns it into the locale's code page.
    connection.setdecoding(pyodbc.SQL_CHAR, encoding="utf-16le", ctype=pyodbc.SQL_WCHAR)
    connection.setdecoding(pyodbc.SQL_WCHAR, encoding="utf-16le", ctype=pyodbc.SQL_WCHAR)
    connection.setencoding(encoding="utf-16le", ctype=pyodbc.SQL_WCHAR)
    connection.add_output_converter(_DATETIMEOFFSET, _datetime_with_zone)
    return connection


def _connection_string(address: Address, application_name: str) -> str:
    options = {"Driver": odbc.DRIVER, "Encrypt": "yes", "TrustServerCertificate": "no"}
    options |= address.options
    options["Driver"] = "{" + options["Driver"].strip("{}") + "}"
    settings = {
        **options,
        "Server": _quoted(f"tcp:{address.host},{address.port}"),
        "Database": _quoted(address.database),
        "App": _quoted(application_name),
    }
    if address.user:
        settings["UID"] = _quoted(address.user)
    if address.password:
        settings["PWD"] = _quoted(address.password)
    return ";".join(f"{name}={value}" for name, value in settings.items())


def _options(query: str) -> dict[str, str]:
    known = {_plain(keyword): keyword for keyword in _OPTIONS}
    options = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if _plain(name) not in known:
            near = difflib.get_close_matches(_plain(name), known, n=1)
            hint = f"did you mean `{known[near[0]]}`?" if near else f"known: {', '.join(_OPTIONS)}"
            raise ValueError(f"has an unknown option `{name[:40]}`; {hint}")
        if not re.fullmatch(r"[\w .:/\\@-]+", value):
            raise ValueError(f"has a value of `{name}` that no option takes")
        options[known[_plain(name)]] = value
    return options


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _quoted(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


def _datetime_with_zone(data: bytes) -> datetime:
    """SQL_SS_TIMESTAMPOFFSET_STRUCT: nanoseconds, of which a datetime holds the microseconds."""
    year, month, day, hour, minute, second, nanosecond, hours, minutes = struct.unpack(
        "<6hI2h", data
    )
    zone = timezone(timedelta(hours=hours, minutes=minutes))
    return datetime(year, month, day, hour, minute, second, nanosecond // 1000, zone)
