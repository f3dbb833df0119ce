"""URLs of SQL Server, T-SQL's two kinds of quoting, and errors in one line without secrets."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from common import sqlserver
from common.sqlserver import SqlServerError, identifier, literal, parse
from databases import SQLSERVER

PASSWORD = "sw0rd;}f!sh"  # noqa: S105
ENCODED = "sw0rd%3B%7Df!sh"


def test_a_url_is_read_in_all_its_parts() -> None:
    address = parse(f"sqlserver://me:{ENCODED}@db.example.com:1444/Sales%20Data?encrypt=strict")
    assert (address.host, address.port, address.database) == ("db.example.com", 1444, "Sales Data")
    assert (address.user, address.password) == ("me", PASSWORD)
    assert address.options == {"Encrypt": "strict"}
    assert str(address) == "me@db.example.com/Sales Data"
    assert parse("mssql://me@h/d").port == 1433


@pytest.mark.parametrize(
    "name", ["trust_server_certificate", "TrustServerCertificate", "TRUSTSERVERCERTIFICATE"]
)
def test_an_option_is_written_as_the_driver_or_as_python_does(name: str) -> None:
    address = parse(f"sqlserver://me:x@h/d?{name}=yes")
    assert address.options == {"TrustServerCertificate": "yes"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"sqlserver://me:{PASSWORD}#@h/d", "is not a SQL Server URL"),
        (f"sqlserver://me:{PASSWORD}/x@h/d", "is not a SQL Server URL"),
        (f"sqlserver://me:{PASSWORD}@h:port/d", "is not a SQL Server URL"),
        (f"sqlserver://me:{PASSWORD}@h", "is not a SQL Server URL"),
        (f"postgresql://me:{PASSWORD}@h/d", "is not a SQL Server URL"),
        (f"sqlserver://me:{PASSWORD}@h/d?encrypted=yes", "did you mean `Encrypt`?"),
        (f"sqlserver://me:x@h/d?encrypt=yes;PWD={PASSWORD}", "that no option takes"),
        ("sqlserver://h/d", "names no user"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_without_the_password(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(url)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_another_way_to_log_in_needs_no_user() -> None:
    assert parse("sqlserver://h/d?authentication=ActiveDirectoryMsi").user == ""
    assert parse("sqlserver://h/d?trusted_connection=yes").user == ""


def test_the_password_cannot_leave_its_place_in_the_connection_string() -> None:
    text = sqlserver._connection_string(parse(f"sqlserver://me:{ENCODED}@h/d"), "medallion")
    assert "PWD={sw0rd;}}f!sh}" in text
    assert "Encrypt=yes;TrustServerCertificate=no" in text


def test_nobody_listens_is_one_line_without_secrets() -> None:
    pytest.importorskip("pyodbc", reason="the ODBC manager is not installed")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"sqlserver://me:{ENCODED}@127.0.0.1:{port}/d"
    with pytest.raises(SqlServerError) as caught:
        sqlserver.connect(url, "medallion", login_timeout=1)
    assert caught.value.state in {"08001", "HYT00"}
    text = str(caught.value)
    assert "\n" not in text and PASSWORD not in text and "[Microsoft]" not in text


def test_identifiers_are_quoted() -> None:
    assert identifier("dbo", "a]b") == "[dbo].[a]]b]"


@pytest.mark.parametrize(
    ("value", "constant"),
    [
        (None, "null"),
        (True, "cast(1 as bit)"),
        (-7, "-7"),
        (Decimal("1E+3"), "1000"),
        (0.1, "1.0000000000000001e-01"),
        ("it's '); drop table x --", "N'it''s ''); drop table x --'"),
        (b"\x00\xff", "0x00ff"),
        (date(2026, 2, 1), "cast('2026-02-01' as date)"),
        (time(1, 2, 3, 4), "cast('01:02:03.000004' as time(6))"),
        (datetime(2026, 2, 1), "cast('2026-02-01 00:00:00.000000' as datetime2(6))"),
        (
            datetime(2026, 2, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
            "cast('2026-02-01 00:00:00.000000-03:30' as datetimeoffset(6))",
        ),
    ],
)
def test_literals(value: object, constant: str) -> None:
    assert literal(value) == constant


@pytest.mark.parametrize("value", [float("nan"), Decimal("Infinity"), object()])
def test_what_has_no_constant_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        literal(value)


@pytest.mark.sqlserver
@pytest.mark.skipif(SQLSERVER not in os.environ, reason=f"needs a SQL Server: set {SQLSERVER}")
def test_a_session_from_the_pool_has_nothing_left_of_its_last_user() -> None:
    for autocommit in (True, False, True):
        with closing(
            sqlserver.connect(os.environ[SQLSERVER], "medallion test", autocommit=autocommit)
        ) as connection:
            assert connection.autocommit is autocommit
            connection.execute("create table #left (id int)")
            connection.execute("select id from #left").fetchall()
