#!/usr/bin/env python
"""Compares the ways to load rows into SQL Server, on the server that SQLSERVER_URL names.

Each way gets the same rows, in memory and in the form that it takes, and a table of its own in the
database of the URL. They take turns, so that a machine whose speed drifts is fair to all. Then what
landed is compared with the rows: a way that is fast and wrong is shown as wrong. What is not
installed (arrow-odbc and pyarrow, mssql-python) is left out.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from common import sqlserver
from extraction.engine import Sink
from extraction.sqlserver.landing_types import definition, is_text
from extraction.sqlserver.loading import Loader
from extraction.sqlserver.session import Session

Row = tuple[Any, ...]

# Ten columns of the kinds that warehouses are made of, a null here and there.
COLUMNS = {
    **{"id": "bigint", "part": "int", "line": "smallint", "is_open": "bit"},
    **{"price": "decimal(38,2)", "rate": "float", "day": "date", "sold_at": "datetime2(6)"},
    **{"kind": "varchar(max)", "body": "varchar(max)"},
}
START = dt.datetime(2026, 1, 1)
KINDS = (None, "IN PERSON", "é 日本", "")


def row(number: int) -> Row:
    return (
        number,
        number * 7919 % 200_000,
        number % 4,
        number % 3 == 0,
        Decimal(number * 31 % 10_000_000) / 100,
        number / 7,
        dt.date(2020, 1, 1 + number % 28),
        START + dt.timedelta(seconds=number, microseconds=number % 1000),
        KINDS[number % len(KINDS)],
        f"comment {number:032x}",
    )


@dataclass(frozen=True)
class Way:
    """One way to load; `prepare` gives the rows the form that it takes, which is not measured."""

    name: str
    prepare: Callable[[list[Row]], Any]
    load: Callable[[str, str, Any], None]


# ------------------------------------------------------------------ the ways


def to_lines(rows: list[Row]) -> list[bytes]:
    def plain(value: object) -> object:
        if isinstance(value, Decimal):
            return float(value)  # two digits: exact
        return value.isoformat() if isinstance(value, dt.date) else value

    lines = [
        json.dumps(dict(zip(COLUMNS, map(plain, row), strict=True)), ensure_ascii=False)
        for row in rows
    ]
    return [f"{line}\n".encode() for line in lines]


def load_documents(url: str, table: str, lines: list[bytes]) -> None:
    class Lines:
        format = "json lines"

        def __call__(self, sink: Sink) -> int:
            for start in range(0, len(lines), 1000):
                sink(b"".join(lines[start : start + 1000]), 1000)
            return len(lines)

        def cancel(self) -> None: ...

    with closing(sqlserver.connect(url, "bench")) as connection:
        Loader(Session(connection, "bench")).load(table, COLUMNS, {}, Lines())


def load_executemany(url: str, table: str, rows: list[Row]) -> None:
    with closing(sqlserver.connect(url, "bench")) as connection, closing(connection.cursor()) as c:
        c.fast_executemany = True
        marks = ", ".join("?" * len(COLUMNS))
        for start in range(0, len(rows), 10_000):
            c.executemany(f"insert into {table} values ({marks})", rows[start : start + 10_000])


def to_arrow(rows: list[Row]) -> Any:  # noqa: ANN401
    import pyarrow as pa

    types = [
        *(pa.int64(), pa.int32(), pa.int16(), pa.bool_(), pa.decimal128(38, 2), pa.float64()),
        *(pa.date32(), pa.timestamp("us"), pa.string(), pa.string()),
    ]
    values = zip(zip(*rows, strict=True), types, strict=True)
    arrays = [pa.array(column, type_) for column, type_ in values]
    return pa.Table.from_arrays(arrays, names=list(COLUMNS))


def load_arrow(url: str, table: str, rows: Any) -> None:  # noqa: ANN401
    from arrow_odbc import insert_into_table

    insert_into_table(
        reader=rows.to_reader(10_000),
        chunk_size=10_000,
        table=table,
        connection_string=sqlserver._connection_string(sqlserver.parse(url), "bench"),
    )


def load_bulkcopy(url: str, table: str, rows: list[Row]) -> None:
    import mssql_python

    address = sqlserver.parse(url)
    trust = address.options.get("TrustServerCertificate", "no")
    text = (
        f"Server={address.host},{address.port};Database={address.database};UID={address.user};"
        f"PWD={address.password};Encrypt={address.options.get('Encrypt', 'yes')};"
        f"TrustServerCertificate={trust}"
    )
    with closing(mssql_python.connect(text, autocommit=True)) as connection:
        connection.cursor().bulkcopy(table, rows, table_lock=True)


WAYS = [
    Way("documents, openjson", to_lines, load_documents),
    Way("pyodbc fast_executemany", list, load_executemany),
    Way("arrow-odbc", to_arrow, load_arrow),
    Way("mssql-python bulkcopy", list, load_bulkcopy),
]

# ------------------------------------------------------------------ the comparison


def landed(url: str, table: str) -> list[Row]:
    with closing(sqlserver.connect(url, "bench")) as connection, closing(connection.cursor()) as c:
        columns = [  # as UTF-16, whatever code page the server has for `varchar`
            f"convert(nvarchar(max), {name})" if is_text(type_) else name
            for name, type_ in COLUMNS.items()
        ]
        c.execute(f"select {', '.join(columns)} from {table} order by id")
        return [tuple(row) for row in c.fetchall()]


def what_is_wrong(rows: list[Row], found: list[Row]) -> str:
    if len(rows) != len(found):
        return f"{len(found):,} rows landed"
    wrong = [
        name
        for number, name in enumerate(COLUMNS)
        if any(a[number] != b[number] for a, b in zip(rows, found, strict=True))
    ]
    return f"other values in {', '.join(wrong)}" if wrong else ""


def create(url: str, table: str) -> None:
    definitions = ", ".join(definition(name, type_) for name, type_ in COLUMNS.items())
    with closing(sqlserver.connect(url, "bench")) as connection:
        connection.execute(f"drop table if exists {table}")
        connection.execute(f"create table {table} ({definitions})")


@click.command(help=__doc__)
@click.option("--rows", "count", default=100_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def cli(count: int, rounds: int) -> None:
    url = os.environ.get("SQLSERVER_URL")
    if not url:
        raise click.ClickException("Set SQLSERVER_URL to a database to load into.")
    rows = [row(number) for number in range(count)]
    prepared, outcome = {}, {}
    for way in WAYS:
        try:
            prepared[way.name] = way.prepare(rows)
        except ImportError as error:
            outcome[way.name] = f"not measured: {error}"
    seconds: dict[str, list[float]] = {name: [] for name in prepared}
    for _ in range(rounds):
        for number, way in enumerate(WAYS):
            if way.name in outcome:
                continue
            table = f"dbo.bench_{number}"
            create(url, table)
            try:
                started = time.perf_counter()
                way.load(url, table, prepared[way.name])
                seconds[way.name].append(time.perf_counter() - started)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a library's panic, too
                outcome[way.name] = f"failed: {' '.join(str(error).split())[:120]}"
                continue
            if wrong := what_is_wrong(rows, landed(url, table)):
                outcome[way.name] = f"wrong: {wrong}"
    shown = Table(box=box.SIMPLE_HEAD, title=f"{count:,} rows, {len(COLUMNS)} columns")
    for name in ("way", "seconds", "rows a second", "what landed"):
        shown.add_column(name)
    for way in WAYS:
        taken = seconds.get(way.name)
        figures = ["", ""]
        if taken:
            median = statistics.median(taken)
            figures = [f"{median:.2f}", f"{count / median:,.0f}"]
        shown.add_row(way.name, *figures, outcome.get(way.name, "the same"))
    Console(width=140).print(shown)


if __name__ == "__main__":
    cli()
