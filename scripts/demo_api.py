#!/usr/bin/env python
"""Serves the demo's Hacker News, a Postgres database, as the API that the real one has.

extract.py does so by itself where the demo is extracted; run alone, it is there to be looked at:
curl http://127.0.0.1:8081/maxitem.json
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click
import psycopg2
import psycopg2.extensions

from common.embedded_postgres import Cluster
from common.project import ROOT

NEWEST = "select last_value::text from public.item_id_seq"
# Planned once for a connection: to plan this takes longer than to run it.
PREPARED = "prepare item (bigint) as select document from public.api_item where id = $1"
ITEM = "execute item (%s)"


class DemoApi(ThreadingHTTPServer):
    """`maxitem.json` and `item/<id>.json` of a database, on the loopback interface."""

    daemon_threads = True
    # Clients open all their connections at once.
    request_queue_size = 128

    def __init__(self, database: str, port: int = 0, handler: type[Handler] | None = None) -> None:
        self.database = database
        super().__init__(("127.0.0.1", port), handler or Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One connection of a client, with a connection to the database of its own."""

    protocol_version = "HTTP/1.1"  # connections are kept alive
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    server: DemoApi
    connection_to_database: psycopg2.extensions.connection | None = None

    def do_GET(self) -> None:  # the name that http.server looks for
        try:
            if self.path == "/maxitem.json":
                self.answer(200, self.ask(NEWEST))
            elif found := re.fullmatch(r"/item/(\d{1,18})\.json", self.path):
                self.answer(200, self.ask(ITEM, int(found[1])))
            else:
                self.answer(404, '{"error": "Not Found"}')
        except psycopg2.Error as error:  # there is no such demo: `make demo` makes it
            reason = " ".join(str(error).split()).encode("ascii", "replace").decode()
            self.answer(404, "{}", reason)

    def ask(self, query: str, *parameters: object) -> str:
        """The one value that a query gives; without one, JSON's null."""
        if self.connection_to_database is None:
            self.connection_to_database = psycopg2.connect(self.server.database)
            self.connection_to_database.autocommit = True
            with self.connection_to_database.cursor() as cursor:
                cursor.execute(f"set plan_cache_mode = force_generic_plan; {PREPARED}")
        with self.connection_to_database.cursor() as cursor:
            cursor.execute(query, parameters or None)
            row = cursor.fetchone()
            return str(row[0]) if row else "null"

    def answer(self, status: int, document: str, reason: str | None = None, **headers: str) -> None:
        body = document.encode()
        self.send_response(status, reason)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads along."""

    def finish(self) -> None:
        with suppress(OSError):  # the client is gone
            super().finish()
        if self.connection_to_database is not None:
            self.connection_to_database.close()


@contextmanager
def serving(database: str, handler: type[Handler] | None = None) -> Iterator[DemoApi]:
    """An API over a database, for as long as the context lasts."""
    api = DemoApi(database, handler=handler)
    threading.Thread(target=api.serve_forever, name="demo api", daemon=True).start()
    try:
        yield api
    finally:
        api.shutdown()
        api.server_close()


@click.command(help=__doc__)
@click.option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True)
def cli(port: int) -> None:
    with DemoApi(Cluster.of_clone(ROOT).url("hacker_news"), port) as api:
        click.echo(f"{api.url}/maxitem.json and {api.url}/item/<id>.json; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            api.serve_forever()


if __name__ == "__main__":
    cli()
