"""Does one step of a deploy and pulls the plug at its nth statement; run as a process of its own.

usage: publish_fault.py <database> <step> <generation> <fault> <n>

The steps are build, publish, rollback and prune; a build is alone, as the commands are. Faults as
in faulty_cursor.py. Prints how it ended, how many statements there were, and what it said.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from typing import Any

from common.warehouse import errors
from databases import Database
from faulty_cursor import faulty_cursor, statements
from publishing.errors import PublishError
from publishing.pruning import prune
from publishing.publisher import Patience
from publishing.run_lock import alone
from publishing_support import Shelf

LONG_ENOUGH = Patience(seconds=5)


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
    print(json.dumps({"ended": ended, "statements": statements.done, "said": said}))


if __name__ == "__main__":
    main(*sys.argv[1:])
