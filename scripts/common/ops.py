"""The schema `ops`, where this project records its own runs: tables, and the record of publishes.

dbt's runs are recorded by macros/operations, batches by the ledger.py of the warehouse's engine in
scripts/extraction.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from common.project import ROOT
from common.sqlserver import explain
from common.warehouse import dialect, errors

TABLES = ROOT / "macros" / "operations" / "ops_tables.sql"

_UPDATE = """
    update ops.publishes
    set status = %s, generation = %s, code_version = %s, models = %s, message = %s,
        finished_at = %s, recorded_at = default
    where publish_id = %s
"""
_INSERT = """
    insert into ops.publishes (
        status, generation, code_version, models, message, finished_at, publish_id,
        environment, action, started_at
    )
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

Connect = Callable[[], Any]  # opens a DB-API connection that commits each statement

# SQL Server's numbers of errors that say that somebody else has just made it.
ALREADY_THERE = (2714, 2759, 2705)


def ensure_tables(cursor: Any) -> None:  # noqa: ANN401  # a DB-API cursor
    """Makes the tables of ops that are missing, as dbt does before each run."""
    from jinja2 import Environment

    macros: Any = Environment(autoescape=False).from_string(TABLES.read_text()).module  # noqa: S701
    if dialect(cursor).name == "postgres":
        statements = macros.postgres__ops_tables()
        cursor.execute(f"do $ops_tables$ begin {statements} end $ops_tables$")
        return
    statements = macros.sqlserver__ops_tables()
    tries = statements.count("create")
    while True:
        try:
            cursor.execute(statements)
            return
        except errors() as error:
            tries -= 1
            if not tries or explain(error).number not in ALREADY_THERE:
                raise


@dataclass
class Publish:
    """A build that becomes live, or one that becomes live again: `action` is publish or rollback.

    `models` is how many it replaces; `message` is for its readers, so it holds no secrets.
    """

    environment: str
    action: str = "publish"
    generation: int | None = None
    code_version: str | None = None
    models: int | None = None
    message: str | None = None


@contextmanager
def recorded_publish(connect: Connect, publish: Publish) -> Iterator[Publish]:
    """Records a publish as running, then as succeeded, or as failed if the block raises.

    On connections of its own that commit at once, so that a publish that is taken back or killed is
    on record too. What the block learns, it sets on the Publish. A record that cannot be written is
    a warning on stderr: it fails nothing.
    """
    publish_id, started = str(uuid.uuid4()), datetime.now(timezone.utc)

    def record(status: str, finished: datetime | None) -> None:
        try:
            with closing(connect()) as connection, connection.cursor() as cursor:
                spelled = dialect(connection)
                # A quick look, as dbt's hooks take.
                cursor.execute(spelled.lock_timeout.format(3000))
                ensure_tables(cursor)
                learnt = [
                    *(status, publish.generation, publish.code_version, publish.models),
                    *(publish.message, finished, publish_id),
                ]
                if not spelled.execute(cursor, _UPDATE, learnt).rowcount:
                    given = [publish.environment, publish.action, started]
                    spelled.execute(cursor, _INSERT, [*learnt, *given])
        except errors() as error:
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            print(f"Warning: this publish is not recorded in ops: {why}", file=sys.stderr)

    record("running", None)
    status = "failed"
    try:
        yield publish
        status = "succeeded"
    finally:
        record(status, datetime.now(timezone.utc))
