"""An item API over a database of the test server, which can be told to fail."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message

from databases import Database
from demo_api import DemoApi, Handler, serving

TABLES = """
    create sequence item_id_seq minvalue 0 start 0;
    create table documents (id bigint primary key, document text not null);
    create view api_item as select * from documents;
"""


@dataclass
class Items:
    """The items of an API, and what its clients did and shall meet."""

    database: Database
    url: str = ""
    # path -> what happens to each request for it, as long as there is something; * is any path.
    faults: dict[str, list[Callable[[FaultyHandler], None]]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    asked_at: list[float] = field(default_factory=list)
    headers: Message = field(default_factory=Message)  # of the last request
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, *ids: int, **fields: object) -> None:
        """Writes items, or their fields, each with its id as its time; raises the newest id."""
        for id_ in ids:
            found = self.database.query("select document from documents where id = %s", [id_])
            item = json.loads(found[0][0]) if found else {"id": id_, "time": id_}
            self.database.execute(
                "insert into documents values (%s, %s) "
                "on conflict (id) do update set document = excluded.document",
                [id_, json.dumps({**item, **fields})],
            )
            self.newest(id_)

    def put_many(self, first: int, last: int) -> None:
        self.database.execute(
            "insert into documents select i, json_build_object('id', i, 'time', i, 'text', "
            "repeat('x', 300))::text from generate_series(%s::bigint, %s) as i",
            [first, last],
        )
        self.newest(last)

    def newest(self, id_: int) -> None:
        self.database.execute(
            "select setval('item_id_seq', greatest(last_value, %s)) from item_id_seq", [id_]
        )

    def take_away(self, *ids: int) -> None:
        self.database.execute("delete from documents where id = any(%s)", [list(ids)])

    def fail(self, path: str, *faults: Callable[[FaultyHandler], None]) -> None:
        """Lets the next requests for a path (`/item/1.json`) meet these faults, one each."""
        self.faults.setdefault(path, []).extend(faults)

    def forget(self) -> None:
        """Counts anew."""
        self.asked.clear()
        self.asked_at.clear()
        self.most_at_once = self.connections = 0


class FaultyHandler(Handler):
    items: Items  # set by `item_api`

    def setup(self) -> None:
        super().setup()
        with self.items.lock:
            self.items.connections += 1

    def do_GET(self) -> None:  # noqa: N802  # the name that http.server looks for
        items = self.items
        with items.lock:
            items.asked[self.path] += 1
            items.asked_at.append(time.monotonic())
            items.headers = self.headers
            items.at_once += 1
            items.most_at_once = max(items.most_at_once, items.at_once)
            waiting = items.faults.get(self.path) or items.faults.get("*")
            fault = waiting.pop(0) if waiting else Handler.do_GET
        try:
            fault(self)
        finally:
            with items.lock:
                items.at_once -= 1


def status(code: int, **headers: str) -> Callable[[FaultyHandler], None]:
    return lambda handler: handler.answer(code, "{}", **headers)


def says(text: str) -> Callable[[FaultyHandler], None]:
    """Answers with something else than the item."""
    return lambda handler: handler.answer(200, text)


def slow(seconds: float) -> Callable[[FaultyHandler], None]:
    def answer(handler: FaultyHandler) -> None:
        time.sleep(seconds)
        Handler.do_GET(handler)

    return answer


def drips(seconds: float) -> Callable[[FaultyHandler], None]:
    """A byte now and then, each in time, the whole never."""

    def answer(handler: FaultyHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(seconds)

    return answer


def truncated(handler: FaultyHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": 1')
    handler.close_connection = True


def reset(handler: FaultyHandler) -> None:
    """The connection goes down in the middle, as when a machine dies."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


@contextmanager
def item_api(database: Database) -> Iterator[Items]:
    database.execute(TABLES)
    items = Items(database)
    handler = type("TestHandler", (FaultyHandler,), {"items": items})
    with serving(database.url, handler) as api:
        assert isinstance(api, DemoApi)
        items.url = api.url
        yield items
