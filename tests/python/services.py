"""Services that notifications are sent to, on loopback: HTTP, HTTPS by any name, and SMTP."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG = 0  # an answer that does not come


@dataclass(frozen=True)
class Request:
    host: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.body)


@dataclass
class Http:
    """An HTTP server that keeps what it was sent; it answers `answers` in turn, then 200."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As apprise writes the address of a webhook that takes JSON."""
        return f"json://127.0.0.1:{self.port}/hook"

    @property
    def received(self) -> list[Any]:
        return [request.json for request in self.requests]


@contextmanager
def http_service(certificate: Path | None = None) -> Iterator[Http]:
    """An HTTP server; with a certificate also a proxy behind which it is every host that it names.

    So the real clients of services that have one address only send over real TLS, to here.
    """
    service, stopping = Http(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        host = ""

        def do_CONNECT(self) -> None:
            assert certificate is not None
            self.host = self.path
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb")
            self.handle_one_request()

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            service.requests.append(Request(self.host, self.path, dict(self.headers), body))
            answer = service.answers.pop(0) if service.answers else 200
            if answer == HANG:
                stopping.wait(60)
                return
            text = b"ok"
            self.send_response(answer)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder: Path, hosts: Sequence[str]) -> Path:
    """A certificate of its own for these hosts, with its key, in one file."""
    path = folder / "certificate.pem"
    names = ",".join(f"DNS:{host}" for host in hosts)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=loopback", "-addext", f"subjectAltName={names}"),
            *("-keyout", path, "-out", folder / "public.pem"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (folder / "public.pem").read_text())
    return path


@dataclass
class Mail:
    """An SMTP server that keeps what it was sent."""

    port: int = 0
    users: list[str] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)


@contextmanager
def mail_service(password: str) -> Iterator[Mail]:
    """An SMTP server that lets anybody in who knows the password."""
    service = Mail()

    class Handler:
        async def handle_DATA(  # noqa: N802
            self, server: SMTP, session: Session, envelope: Envelope
        ) -> str:
            content = envelope.original_content or b""
            found = message_from_bytes(content, policy=policy.default)
            service.messages.append(found)
            return "250 OK"

    def authenticate(
        server: SMTP,
        session: Session,
        envelope: Envelope,
        mechanism: str,
        data: Any,  # noqa: ANN401
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        service.users.append(data.login.decode())
        return AuthResult(success=data.password.decode() == password, handled=False)

    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=0,
        authenticator=authenticate,
        auth_require_tls=False,
        auth_required=True,
    )
    # Controller connects to the port that it was given, so it is given one that is free.
    with http_service() as free:
        controller.port = free.port
    controller.start()
    service.port = controller.port
    try:
        yield service
    finally:
        controller.stop()
