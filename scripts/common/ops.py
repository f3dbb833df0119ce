"""The schema `ops`, where this project records its own runs: tables, and the record of publishes.

dbt's runs are recorded by macros/operations, batches by scripts/extraction/postgres/ledger.py.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

import psycopg2
import psycopg2.extensions

from common.project import ROOT

TABLES = ROOT / "macros" / "operations" / "ops_tables.sql"

_RECORD = """
    insert into ops.publishes (
        publish_id, environment, action, status, generation, code_version, models, message,
        started_at, finished_at
    )
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (publish_id) do update
    set status = excluded.status, generation = excluded.generation,
        code_version = excluded.code_version, models = excluded.models,
        message = excluded.message, finished_at = excluded.finished_at,
        recorded_at = default
"""

Connect = Callable[[], psycopg2.extensions.connection]


def ensure_tables(cursor: psycopg2.extensions.cursor) -> None:
    """Makes the tables of ops that are missing, as dbt does before each run."""
    from jinja2 import Environment

    macros = Environment(autoescape=False).from_string(TABLES.read_text()).module  # noqa: S701
    statements = macros.postgres__ops_tables()  # type: ignore[attr-defined]
    cursor.execute(f"do $ops_tables$ begin {statements} end $ops_tables$")


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
                cursor.execute("set lock_timeout = '3s'")  # a quick look, as dbt's hooks take
                ensure_tables(cursor)
                cursor.execute(
                    _RECORD,
                    [
                        *(publish_id, publish.environment, publish.action, status),
                        *(publish.generation, publish.code_version, publish.models),
                        *(publish.message, started, finished),
                    ],
                )
        except psycopg2.Error as error:
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            print(f"Warning: this publish is not recorded in ops: {why}", file=sys.stderr)

    record("running", None)
    status = "failed"
    try:
        yield publish
        status = "succeeded"
    finally:
        record(status, datetime.now(timezone.utc))
