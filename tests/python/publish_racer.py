"""Deploys again and again, as a process of its own, alone as the commands are.

usage: publish_racer.py <database> <rounds> <seconds to wait for another deploy>

Prints how the deploys ended, the generations that it published, and what it was told.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from databases import Database
from publish_fault import relations
from publishing.errors import PublishError
from publishing.run_lock import alone
from publishing_support import Shelf


def main(database: str, rounds: str, wait: str) -> None:
    shelf = Shelf(Database(database))
    ends, numbers, said = Counter[str](), list[int](), list[str]()
    for _ in range(int(rounds)):
        try:
            with (
                shelf.engine() as (engine, ledger),
                alone(engine, ledger, float(wait), said.append),
            ):
                number = shelf.build(relations(max(one.number for one in ledger.all()) + 1))
                shelf.publish(number)
                numbers.append(number)
            ends["done"] += 1
        except PublishError as error:
            ends[type(error).__name__] += 1
            said.append(str(error))
    print(json.dumps({"ends": ends, "numbers": numbers, "said": said}))


if __name__ == "__main__":
    main(*sys.argv[1:])
