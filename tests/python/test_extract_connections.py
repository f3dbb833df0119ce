"""What is waited for, what is not, and what the messages give away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import psycopg2
import pytest

from common.embedded_postgres import Cluster
from databases import Database
from extraction.postgres.errors import is_transient
from extraction.run import Options, extract
from extraction_support import Silent, spec

PASSWORD = "s3cret/with@signs:%"  # noqa: S105  # of a server that lives for one test
ENCODED = "s3cret%2Fwith%40signs%3A%25"


class Guarded:
    """A server that listens on TCP and asks for a password."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.cluster = Cluster.temporary()

    def start(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port), "fsync": "off"}
        self.cluster.start(settings)

    def url(self, password: str = ENCODED, user: str = "reader", database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    server = Guarded()
    try:
        server.start()
        admin = f"host={server.cluster.socket_dir} port={server.port} user=postgres dbname=postgres"
        with psycopg2.connect(admin) as connection, connection.cursor() as cursor:
            cursor.execute("create role reader login password %s", [PASSWORD])
            cursor.execute("create table item as select 1 as id; grant select on item to reader")
            cursor.execute("create table hidden as select 1 as id")
        (server.cluster.data / "pg_hba.conf").write_text(
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        with psycopg2.connect(admin) as connection, connection.cursor() as cursor:
            cursor.execute("select pg_reload_conf()")
        yield server
    finally:
        server.cluster.remove()


def _error(
    warehouse: Database, url: str, table: str = "item", wait: float = 30
) -> tuple[str, float]:
    started = time.monotonic()
    (result,) = extract(
        [spec(table)], Options(warehouse.url, {"shop": url}, wait=wait), Silent(), lambda _: None
    )
    return result.error or "", time.monotonic() - started


def test_a_url_with_an_encoded_password_works(guarded: Guarded, warehouse: Database) -> None:
    assert _error(warehouse, guarded.url())[0] == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong-s3cret"}, "password authentication failed"),
        ({"user": "nobody_here"}, "password authentication failed"),
        ({"database": "nothing"}, 'database "nothing" does not exist'),
    ],
)
def test_what_waiting_cannot_mend_fails_at_once(
    guarded: Guarded, warehouse: Database, change: dict[str, str], words: str
) -> None:
    error, seconds = _error(warehouse, guarded.url(**change))
    assert words in error
    assert "SHOP_URL" in error, "the message names the variable to mend"
    assert seconds < 5
    assert "s3cret" not in error


def test_a_missing_privilege_is_named(guarded: Guarded, warehouse: Database) -> None:
    error, seconds = _error(warehouse, guarded.url(), "hidden")
    assert "permission denied for table hidden" in error
    assert "Grant" in error
    assert seconds < 5


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{PASSWORD}%zz@127.0.0.1/x",
        "s3cret",
        "host=localhost passwort=s3cret",
        "mysql://reader:s3cret@127.0.0.1/x",
        "postgresql://reader:a@s3cret@127.0.0.1/x",
        "postgresql://reader:s3cret/a@127.0.0.1/x",
        "postgresql://reader:1/s3cret@127.0.0.1/x",
    ],
)
def test_a_url_that_is_none_is_refused_without_showing_it(warehouse: Database, url: str) -> None:
    error, seconds = _error(warehouse, url)
    assert "SHOP_URL" in error
    assert "not a Postgres URL" in error
    assert "s3cret" not in error
    assert seconds < 5


@pytest.mark.parametrize(
    ("message", "again"),
    [
        ("SSL connection has been closed unexpectedly", True),
        ("SSL SYSCALL error: EOF detected", True),
        ("SSL error: unexpected eof while reading", True),
        ("server does not support SSL, but SSL was required", False),
        ("SSL error: certificate verify failed", False),
        ('invalid sslmode value: "on"', False),
    ],
)
def test_a_lost_connection_is_not_taken_for_a_refused_one(message: str, again: bool) -> None:
    assert is_transient(psycopg2.OperationalError(message)) == again


def test_a_source_that_is_still_starting_is_waited_for(warehouse: Database) -> None:
    server = Guarded()
    try:
        timer = threading.Timer(1.5, server.start)
        timer.start()
        error, _ = _error(warehouse, server.url(user="postgres"), "pg_class")
        timer.join()
        assert "no table public.pg_class" in error, "it came up and was asked"
    finally:
        server.cluster.remove()


def test_waiting_ends(warehouse: Database) -> None:
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://reader@127.0.0.1:{closed.getsockname()[1]}/postgres"
        error, seconds = _error(warehouse, url, wait=0.5)
    assert "refused" in error.lower()
    assert seconds < 5
