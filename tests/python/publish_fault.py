"""Does one step of a deploy and pulls the plug at its nth statement; run as a process of its own.

usage: publish_fault.py <database> <step> <generation> <fault> <n>

The steps are build, publish, rollback and prune; a build is alone, as the commands are. Faults:
`none`; `kill` is kill -9 of this process before the statement; `drop` ends the connection that is
about to be used, at the server; `lost-answer` closes it after the statement was carried out;
`cut` breaks it while the statement is being carried out, which the server doesn't notice. Prints
how it ended, how many statements there were, and what it said.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import Any

import psycopg2
import psycopg2.extensions

from common.warehouse import errors
from databases import Database
from publishing.errors import PublishError
from publishing.pruning import prune
from publishing.publisher import Patience
from publishing.run_lock import alone
from publishing_support import Shelf

statements = 0
LONG_ENOUGH = Patience(seconds=5)


def faulty_cursor(fault: str, at: int, url: str) -> type[psycopg2.extensions.cursor]:
    class Faulty(psycopg2.extensions.cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: ANN401
            self._run(lambda: super(Faulty, self).execute(query, vars))

        def _run(self, call: Callable[[], None]) -> None:
            global statements  # noqa: PLW0603
            statements += 1
            if statements != at:
                call()
            elif fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif fault == "drop":
                with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
                    cursor.execute(
                        "select pg_terminate_backend(%s, 5000)", [self.connection.info.backend_pid]
                    )
                call()
            elif fault == "cut":
                wire = socket.socket(fileno=os.dup(self.connection.fileno()))
                threading.Timer(0.1, wire.shutdown, [socket.SHUT_RDWR]).start()
                call()
            elif fault == "lost-answer":
                call()
                self.connection.close()
                raise psycopg2.OperationalError("the answer was lost on its way")
            else:
                call()

    return Faulty


class FaultyShelf(Shelf):
    fault, at = "none", 0

    def connect(self) -> Any:  # noqa: ANN401
        connection = super().connect()
        connection.cursor_factory = faulty_cursor(self.fault, self.at, self.database.url)
        return connection


def relations(version: int) -> dict[str, str]:
    """Two tables and a view of a version."""
    return {
        "a": f"as select {version} as version",
        "b": f"as select {version} as version",
        "v": "view as select a.version from gold__next.a a join gold__next.b b using (version)",
    }


def main(database: str, step: str, generation: str, fault: str, at: str) -> None:
    shelf = FaultyShelf(Database(database))
    shelf.fault, shelf.at = fault, int(at)
    number, said = int(generation), list[str]()
    ended = "done"
    try:
        with shelf.engine() as (engine, ledger):
            lonely = step in ("build", "prune")
            with alone(engine, ledger, 5, said.append) if lonely else nullcontext():
                if step == "build":
                    shelf.build(relations(number))
                elif step == "publish":
                    shelf.publish(number, LONG_ENOUGH)
                elif step == "rollback":
                    shelf.rollback(number, LONG_ENOUGH)
                else:
                    prune(engine, ledger, ["gold"], 0)
    except PublishError as error:
        ended = f"refused: {error}"
    except errors() as error:
        ended = f"failed: {error}"
    print(json.dumps({"ended": ended, "statements": statements, "said": said}))


if __name__ == "__main__":
    main(*sys.argv[1:])
