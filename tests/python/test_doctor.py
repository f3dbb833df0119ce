"""The doctor's diagnoses, each provoked for real, and no secret in any of them."""

from __future__ import annotations

import json
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg2
import pytest

import demo_sources
from commands import script
from common.embedded_postgres import Cluster
from common.project import ROOT
from databases import Database
from diagnosis.connection import remedy
from diagnosis.environment import check_dotenv, check_packages, check_python
from diagnosis.finding import Finding, Level
from diagnosis.profile import check_profile
from diagnosis.systems import check_disk, check_port, check_server, check_warehouse
from item_api import item_api

PASSWORD = "sw0rdf!sh"  # noqa: S105
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # the first words of a client that wants TLS
# The shell, GitHub Actions and scripts/refresh.py set these.
SET_BY_OTHERS = {
    *("USER", "GITHUB_SHA"),
    *("MEDALLION_BUILT_BATCH", "MEDALLION_TESTED_BATCH", "MEDALLION_WAITING_BATCH"),
}


def is_problem(finding: Finding, found: str, cure: str) -> None:
    assert finding.level is Level.PROBLEM, finding
    assert found in finding.found
    assert cure in finding.remedy
    assert PASSWORD not in f"{finding}"


# --- Python, packages, .env ----------------------------------------------------------------------


def test_the_python_that_runs_this_is_supported() -> None:
    assert check_python().level is Level.OK


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
def test_another_python_is_a_problem(version: tuple[int, ...]) -> None:
    is_problem(check_python(version), "is not supported", "Install Python 3.10 to 3.13")


def test_packages_that_differ_from_the_lock_are_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "click==0.1 \\\n    --hash=sha256:00\nno-such-package==1.0 \\\n"
        'only-there==1.0 ; sys_platform == "win32" \\\n    # via\n'
    )
    finding = check_packages(lock)
    is_problem(finding, "no-such-package is missing", "make install")
    assert "not ==0.1" in finding.found
    assert "only-there" not in finding.found


def test_the_packages_here_are_those_of_the_lock() -> None:
    finding = check_packages(ROOT / "requirements.lock")
    assert finding.level is Level.OK
    assert "dbt-core 1.11" in finding.found


def test_a_dotenv_that_is_not_loaded_is_told_without_its_values(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    assert check_dotenv(dotenv) is None
    dotenv.write_text(f"# comment\nPAGILA_URL=postgresql://me:{PASSWORD}@db/x\nexport PROD=1\n")
    finding = check_dotenv(dotenv, {"PROD": "1"})
    assert finding
    assert finding.level is Level.WARNING
    assert "PAGILA_URL not set" in finding.found
    assert PASSWORD not in f"{finding}"
    loaded = check_dotenv(dotenv, {"PROD": "1", "PAGILA_URL": ""})
    assert loaded
    assert loaded.level is Level.OK


# --- profiles.yml --------------------------------------------------------------------------------


def test_every_missing_variable_is_listed_the_password_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROD_PGHOST", "db.example.com")
    for name in ("PROD_PGUSER", "DBT_ENV_SECRET_PROD_PGPASSWORD", "PROD_PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    finding, target = check_profile("prod")
    lacking = "lacks PROD_PGUSER, DBT_ENV_SECRET_PROD_PGPASSWORD, PROD_PGDATABASE"
    is_problem(finding, lacking, ".env.example")
    assert target is None


def test_an_unknown_target_is_answered_with_those_there_are() -> None:
    is_problem(check_profile("production")[0], "no target `production`", "ci, ci_sqlserver, dev")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "No such file"),
        ("medallion:\n  outputs: [\n", "is not YAML"),
        ("", "has no profile `medallion`"),
        ("jaffle_shop: {outputs: {dev: {}}}", "has no profile `medallion`"),
    ],
)
def test_a_profile_that_cannot_be_used(
    content: str | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "profiles.yml").write_text(content)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    finding, target = check_profile(None)
    is_problem(finding, found, "")
    assert target is None


def test_the_default_target_is_dev(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDALLION_TARGET", raising=False)
    assert check_profile(None) == (Finding("profile", Level.OK, "target `dev` on postgres"), "dev")


# --- the warehouse: a Postgres with TLS and passwords ---------------------------------------------


@dataclass(frozen=True)
class SecureServer:
    """Listens on localhost with TLS; its certificate is for `localhost`, signed by itself."""

    port: int
    plain_port: int
    certificate: Path


class TlsFront(socketserver.BaseRequestHandler):
    """Speaks TLS for a Postgres that was built without it, as the embedded one is."""

    postgres: int
    context: ssl.SSLContext

    def handle(self) -> None:
        if self.request.recv(8) != SSL_REQUEST:
            return
        self.request.sendall(b"S")
        with (
            suppress(OSError),
            self.context.wrap_socket(self.request, server_side=True) as client,
            socket.create_connection(("127.0.0.1", self.postgres)) as server,
        ):
            back = threading.Thread(target=self.pass_on, args=(server, client))
            back.start()
            self.pass_on(client, server)
            back.join()

    @staticmethod
    def pass_on(sender: socket.socket, receiver: socket.socket) -> None:
        with suppress(OSError):
            while data := sender.recv(65536):
                receiver.sendall(data)
            receiver.shutdown(socket.SHUT_WR)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


@pytest.fixture(scope="module")
def secure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the server's certificate, is not installed")
    key, certificate = make_certificate(tmp_path_factory.mktemp("tls"), "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    cluster, port = Cluster.temporary(), free_port()
    try:
        cluster.start({"fsync": "off"})
        with closing(psycopg2.connect(cluster.url())) as connection, connection.cursor() as cursor:
            cursor.execute(f"create role reader login password '{PASSWORD}'")
            connection.commit()
        cluster.stop()
        access = "host all reader 127.0.0.1/32 scram-sha-256\n"
        (cluster.data / "pg_hba.conf").write_text(access)
        cluster.start({"fsync": "off", "listen_addresses": "127.0.0.1", "port": str(port)})
        handler = type("Front", (TlsFront,), {"postgres": port, "context": context})
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as front:
            front.daemon_threads = True
            threading.Thread(target=front.serve_forever, daemon=True).start()
            yield SecureServer(front.server_address[1], port, certificate)
            front.shutdown()
    finally:
        cluster.remove()


@pytest.fixture
def prod(secure_server: SecureServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Variables with which the target `prod` is that server, and all is well."""
    for name, value in {
        "PROD_PGHOST": "localhost",
        "PROD_PGPORT": str(secure_server.port),
        "PROD_PGUSER": "reader",
        "DBT_ENV_SECRET_PROD_PGPASSWORD": PASSWORD,
        "PROD_PGDATABASE": "postgres",
        "PGSSLROOTCERT": str(secure_server.certificate),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PROD_PGSSLMODE", raising=False)
    return monkeypatch


class TestWarehouse:
    def test_all_is_well(self, prod: pytest.MonkeyPatch) -> None:
        finding = check_warehouse("prod")
        assert finding.level is Level.OK, finding
        assert finding.found == "reader@localhost/postgres answers (Postgres 18.4)"

    def test_nobody_listens(self, prod: pytest.MonkeyPatch) -> None:
        prod.setenv("PROD_PGPORT", str(free_port()))
        is_problem(check_warehouse("prod"), "Connection refused", "No server listens there")

    def test_unknown_host(self, prod: pytest.MonkeyPatch) -> None:
        prod.setenv("PROD_PGHOST", "nowhere.invalid")
        is_problem(check_warehouse("prod"), "nowhere.invalid", "No host has this name")

    def test_wrong_password(self, prod: pytest.MonkeyPatch) -> None:
        prod.setenv("DBT_ENV_SECRET_PROD_PGPASSWORD", "wrong-one")
        finding = check_warehouse("prod")
        is_problem(finding, "password authentication failed", "Wrong user or password")
        assert "wrong-one" not in f"{finding}"

    def test_missing_database(self, prod: pytest.MonkeyPatch) -> None:
        prod.setenv("PROD_PGDATABASE", "warehause")
        is_problem(check_warehouse("prod"), '"warehause" does not exist', "check its name")

    def test_certificate_of_an_unknown_authority(
        self, prod: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        prod.setenv("PGSSLROOTCERT", str(make_certificate(tmp_path, "other")[1]))
        finding = check_warehouse("prod")
        is_problem(finding, "certificate verify failed", "root.crt")
        assert "Only for development" in finding.remedy

    def test_no_authority_on_this_machine(self, prod: pytest.MonkeyPatch, tmp_path: Path) -> None:
        prod.setenv("PGSSLROOTCERT", str(tmp_path / "none.crt"))
        is_problem(check_warehouse("prod"), "does not exist", "~/.postgresql/root.crt")

    def test_certificate_for_another_name(self, prod: pytest.MonkeyPatch) -> None:
        prod.setenv("PROD_PGHOST", "127.0.0.1")
        is_problem(check_warehouse("prod"), "does not match host name", "by the name that is in it")

    def test_a_server_without_tls(
        self, prod: pytest.MonkeyPatch, secure_server: SecureServer
    ) -> None:
        prod.setenv("PROD_PGPORT", str(secure_server.plain_port))
        finding = check_warehouse("prod")
        is_problem(finding, "server does not support SSL", "switch it on there")

    def test_a_user_who_is_not_let_in(
        self, prod: pytest.MonkeyPatch, secure_server: SecureServer
    ) -> None:
        prod.setenv("PROD_PGUSER", "stranger")
        is_problem(check_warehouse("prod"), "no pg_hba.conf entry", "sslmode=require")

    def test_no_password(self, prod: pytest.MonkeyPatch) -> None:
        prod.setenv("DBT_ENV_SECRET_PROD_PGPASSWORD", "")
        is_problem(check_warehouse("prod"), "no password supplied", "set its variable")

    def test_a_firewall_is_not_a_wrong_password(self, prod: pytest.MonkeyPatch) -> None:
        with closing(socket.socket()) as deaf:  # accepts, and never says a word
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            prod.setenv("PROD_PGPORT", str(deaf.getsockname()[1]))
            prod.setattr("diagnosis.systems.CONNECT_TIMEOUT", 2)
            is_problem(check_warehouse("prod"), "timeout expired", "Nothing answers there")


# --- SQL Server ----------------------------------------------------------------------------------


def test_sqlserver_without_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the ODBC manager, or with it and no server."""
    assert find_spec("pyodbc")
    monkeypatch.setenv("DEV_MSSQL_PORT", str(free_port()))
    monkeypatch.setenv("DBT_ENV_SECRET_DEV_MSSQL_PASSWORD", PASSWORD)
    finding = check_warehouse("dev_sqlserver")
    is_problem(finding, "", "")
    cures = ("ODBC manager is missing", "No SQL Server answers there")
    assert any(cure in finding.remedy for cure in cures), finding


@pytest.mark.parametrize(
    ("message", "cure"),
    [
        (
            "('01000', \"[01000] [unixODBC][Driver Manager]Can't open lib 'ODBC Driver 18 for SQL "
            "Server' : file not found (0) (SQLDriverConnect)\")",
            "make doctor",
        ),
        (
            "('IM002', '[IM002] [unixODBC][Driver Manager]Data source name not found and no "
            "default driver specified (0) (SQLDriverConnect)')",
            "make doctor",
        ),
        (
            "('08001', '[08001] [Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: "
            "[error:0A000086:SSL routines::certificate verify failed:self-signed certificate] (-1) "
            "(SQLDriverConnect)')",
            "TrustServerCertificate",
        ),
        (
            "('28000', \"[28000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Login "
            "failed for user 'sa'. (18456) (SQLDriverConnect)\")",
            "Wrong user or password",
        ),
        (
            "('42000', '[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Cannot open "
            'database "warehouse" requested by the login. The login failed. (4060)\')',
            "check its name",
        ),
        (
            "('HYT00', '[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired "
            "(0) (SQLDriverConnect)')",
            "No SQL Server answers",
        ),
    ],
)
def test_what_the_odbc_driver_says(message: str, cure: str) -> None:
    assert cure in remedy(message, "sqlserver")


# --- the machine ---------------------------------------------------------------------------------


def test_the_embedded_server_in_each_state() -> None:
    cluster = Cluster.temporary()
    try:
        assert check_server(cluster).found == "not made yet"
        cluster.start({"fsync": "off"})
        assert check_server(cluster).level is Level.OK
        cluster.stop()
        assert check_server(cluster).found == "is stopped"
        (cluster.data / "postmaster.pid").write_text("999999\n/nowhere\n")
        assert "stale" in check_server(cluster).found
    finally:
        cluster.remove()


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_disk(tmp_path / "not" / "there").level is Level.OK
    monkeypatch.setattr("diagnosis.systems.ENOUGH_DISK", 10**18)
    is_problem(check_disk(tmp_path), "GB free", "Make room")


def test_a_taken_port() -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = int(listener.getsockname()[1])
        finding = check_port(port)
        assert finding.level is Level.WARNING
        assert f"PORT={port + 1}" in finding.remedy
    assert check_port(free_port()).level is Level.OK


# --- the whole -----------------------------------------------------------------------------------


def doctor(environment: dict[str, str], *options: str) -> tuple[int, str]:
    done = script("doctor.py", *options, env=environment)
    return done.returncode, done.stdout + done.stderr


def test_the_doctor_looks_at_every_source(
    warehouse: Database, source: Database, tmp_path: Path
) -> None:
    demo_sources.build(source.url, "pagila", 0.02)
    role = f"role_{source.name}"
    source.execute(f"create role {role} login")
    source.execute(f"grant select on all tables in schema public to {role}")
    source.execute(f"revoke select on public.payment from {role}; drop table film_actor")
    try:
        environment = {
            **warehouse.env,
            "DBT_TARGET_PATH": str(tmp_path),
            "DBT_LOG_PATH": str(tmp_path),
            "PAGILA_URL": source.url.replace("postgres@", f"{role}:{PASSWORD}@"),
            "FILM_CATALOG_URL": f"postgres//me:{PASSWORD}@db/x",
            "HACKER_NEWS_URL": f"https://me:{PASSWORD}@api:99999/v0",
        }
        code, output = doctor(environment, "--json")
        found = {finding["check"]: finding for finding in json.loads(output)}
        assert code == 1
        assert found["warehouse"]["level"] == "ok"
        assert "cannot read public.film_actor, public.payment" in found["source pagila"]["found"]
        assert "is not a Postgres URL" in found["source film_catalog"]["found"]
        assert "is not an HTTP URL" in found["source hacker_news"]["found"]
        assert PASSWORD not in output
    finally:
        source.execute(f"drop owned by {role}; drop role {role}")


def test_the_doctor_asks_an_api_for_its_newest_id(
    warehouse: Database, source: Database, tmp_path: Path
) -> None:
    environment = {
        **warehouse.env,
        "DBT_TARGET_PATH": str(tmp_path),
        "DBT_LOG_PATH": str(tmp_path),
    }
    with item_api(source) as items:
        items.put(17)
        url = items.url.replace("//", f"//me:{PASSWORD}@")
        for path, level, words in (
            ("", "ok", "127.0.0.1 answers: about 17 items"),
            ("/elsewhere", "problem", "maxitem.json: HTTP 404 Not Found"),
        ):
            _, output = doctor({**environment, "HACKER_NEWS_URL": url + path}, "--json")
            found = {finding["check"]: finding for finding in json.loads(output)}
            finding = found["source hacker_news"]
            assert finding["level"] == level
            assert words in finding["found"]
            assert PASSWORD not in output


def test_every_variable_that_a_person_may_set_is_in_env_example() -> None:
    documented = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.M))
    used = set()
    for read in (ROOT / "profiles.yml", *(ROOT / "macros").rglob("*.sql")):
        used |= set(re.findall(r"env_var\('(\w+)'", read.read_text()))
    for notifying in (ROOT / "scripts" / "notifying").glob("*.py"):
        used |= set(re.findall(r'"(MEDALLION_\w+)"', notifying.read_text()))
    for declared in (ROOT / "models" / "bronze").rglob("*__sources.yml"):
        used |= set(re.findall(r"connection: (\w+)", declared.read_text()))
    assert used - SET_BY_OTHERS == documented
