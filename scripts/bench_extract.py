#!/usr/bin/env python
"""Compares extraction with its limit, `psql COPY | psql COPY`, and with pandas, in one run.

Everything happens on a server of its own, in rounds in which each contestant takes its turn, so
that a machine whose speed drifts is fair to all. Figures are medians.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing

import click
from rich import box
from rich.console import Console
from rich.table import Table

from common.embedded_postgres import Cluster, binaries
from common.postgres import connect
from extraction.engine import BatchResult
from extraction.run import Options, extract
from extraction.spec import TableSpec

SPEC = TableSpec(
    source="bench",
    table="lineitem",
    kind="postgres",
    connection="BENCH_URL",
    from_=("public", "lineitem"),
    landing=("landing_bench", "lineitem"),
    mode="cursor",
    cursor="updated_at",
    primary_key=("l_id",),
)

# 16 columns of the kinds that warehouses are made of.
CREATE = """
    drop table if exists lineitem;
    create table lineitem as
    select i as l_id, (i / 4)::int as l_orderkey, (i * 7919 % 200000)::int as l_partkey,
           (i * 104729 % 10000)::int as l_suppkey, (i % 4)::int as l_linenumber,
           (1 + i % 50)::numeric(15, 2) as l_quantity,
           ((i * 31 % 10000000) / 100.0)::numeric(15, 2) as l_extendedprice,
           ((i % 11) / 100.0)::numeric(15, 2) as l_discount,
           ((i % 9) / 100.0)::numeric(15, 2) as l_tax,
           substr('NRA', 1 + (i % 3)::int, 1)::varchar(1) as l_returnflag,
           substr('OF', 1 + (i % 2)::int, 1)::varchar(1) as l_linestatus,
           date '2020-01-01' + (i % 2500)::int as l_shipdate,
           date '2020-02-01' + (i % 2500)::int as l_commitdate,
           (array['IN PERSON', 'COLLECT COD', 'NONE'])[1 + i % 3]::varchar(25) as l_shipinstruct,
           'comment ' || md5(i::text) as l_comment,
           timestamptz '2026-01-01' + i * interval '1 second' as updated_at
    from generate_series(1, {rows}::bigint) as i;
    create index on lineitem (updated_at);
    vacuum analyze lineitem
"""
# A day in which one row in a hundred changes, one a second.
CHANGE = """
    update lineitem
    set l_comment = l_comment || '!', updated_at = newest + l_id / 100 * interval '1 second'
    from (select max(updated_at) as newest from lineitem) as before
    where l_id % 100 = {round} % 100
"""
LOOKBACK_ROWS = 601


class _Silent:
    def step(self, spec: TableSpec, step: str) -> None: ...

    def rows(self, spec: TableSpec, rows: int) -> None: ...


class Bench:
    """The server, its two databases, and the contestants."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.source, self.warehouse = cluster.url("source"), cluster.url("warehouse")
        self.sql("postgres", "create database source")
        self.sql("postgres", "create database warehouse")

    def sql(self, database: str, *statements: str) -> None:
        with (
            closing(connect(self.cluster.url(database), "bench")) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                for part in statement.split(";"):
                    cursor.execute(part)

    def columns(self) -> str:
        with (
            closing(connect(self.source, "bench")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("select * from lineitem where false")
            return ", ".join(column.name for column in cursor.description or [])

    def clear(self) -> None:
        self.sql(
            "warehouse",
            "drop schema if exists landing_bench cascade; drop schema if exists ops cascade",
            "drop table if exists limit_copy; drop table if exists pandas_copy; checkpoint",
        )

    def limit(self, condition: str = "true", *, create: bool = True) -> None:
        """The bare pipe, with the one thing that any client can have for nothing: a new table."""
        psql = [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        out = f"copy (select * from lineitem where {condition}) to stdout (format binary)"
        into = [*psql, self.warehouse, "--single-transaction"]
        if create:
            self.sql("source", "drop table if exists shape; create table shape (like lineitem)")
            into += ["-c", self._shape()]
        into += ["-c", "copy limit_copy from stdin (format binary)"]
        with subprocess.Popen([*psql, self.source, "-c", out], stdout=subprocess.PIPE) as reader:
            subprocess.run(into, stdin=reader.stdout, check=True)

    def _shape(self) -> str:
        with (
            closing(connect(self.source, "bench")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "select string_agg(quote_ident(attname) || ' ' "
                "|| format_type(atttypid, atttypmod), ', ' order by attnum) "
                "from pg_attribute where attrelid = 'lineitem'::regclass and attnum > 0"
            )
            return f"create table limit_copy ({(cursor.fetchone() or [''])[0]})"

    def extract(self) -> BatchResult:
        options = Options(self.warehouse, {"bench": self.source}, threads=1)
        (result,) = extract([SPEC], options, _Silent(), lambda result: None)
        if result.error:
            raise click.ClickException(result.error)
        return result

    def extract_in_child(self) -> float:
        """The same in a process of its own; returns its peak memory in MiB."""
        child = os.fork()
        if child == 0:
            try:
                self.extract()
                os._exit(0)
            except click.ClickException as error:
                error.show()
            finally:
                os._exit(1)
        _, status, usage = os.wait4(child, 0)
        if status:
            raise click.ClickException("the extraction failed")
        return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

    def pandas(self, rows: int) -> None:
        import pandas as pd
        from sqlalchemy import create_engine

        def engine(database: str) -> object:
            return create_engine(
                "postgresql+psycopg2://",
                creator=lambda: connect(self.cluster.url(database), "bench"),
            )

        frame = pd.read_sql(f"select * from lineitem where l_id <= {rows}", engine("source"))
        frame.to_sql("pandas_copy", engine("warehouse"), index=False, if_exists="replace")


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@click.command(help=__doc__)
@click.option("--rows", default=2_000_000, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--pandas-rows", default=200_000, show_default=True, help="0 leaves pandas out.")
def cli(rows: int, rounds: int, pandas_rows: int) -> None:
    cluster = Cluster.temporary()
    try:
        cluster.start({"max_wal_size": "8GB", "checkpoint_timeout": "30min"})
        _run(Bench(cluster), rows, rounds, pandas_rows)
    finally:
        cluster.remove()


def _run(bench: Bench, rows: int, rounds: int, pandas_rows: int) -> None:
    console = Console()
    table = Table(
        box=box.SIMPLE_HEAD, title=f"{rows:,} rows, 16 columns, medians of {rounds} rounds"
    )
    for name in ("what", "seconds", "limit's seconds", "ratio", "peak MiB"):
        table.add_column(name, justify="left" if name == "what" else "right")

    def add(what: str, ours: list[float], limits: list[float], memory: float | None) -> None:
        ratio = statistics.median(a / b for a, b in zip(ours, limits, strict=True))
        table.add_row(
            *(what, f"{statistics.median(ours):.2f}", f"{statistics.median(limits):.2f}"),
            *(f"{ratio:.2f}", f"{memory:.0f}" if memory else ""),
        )

    bench.sql("source", CREATE.format(rows=rows))
    add("first load", *_first_loads(bench, rounds))
    add("1 % changed", *_changes(bench, rows, rounds), None)
    if pandas_rows:
        bench.sql("source", CREATE.format(rows=pandas_rows))
        ours, limits, pandas = [], [], []
        for _ in range(max(1, rounds // 2)):
            bench.clear()
            limits.append(timed(bench.limit))
            ours.append(timed(bench.extract))
            pandas.append(timed(lambda: bench.pandas(pandas_rows)))
        add(f"first load of {pandas_rows:,}", ours, limits, None)
        add(f"pandas, {pandas_rows:,} rows", pandas, limits, _peak())
    console.print(table)


def _first_loads(bench: Bench, rounds: int) -> tuple[list[float], list[float], float]:
    ours, limits, memory = [], [], 0.0
    for number in range(rounds + 1):
        bench.clear()
        limit = timed(bench.limit)
        bench.clear()
        started = time.perf_counter()
        peak = bench.extract_in_child()
        seconds = time.perf_counter() - started
        if number:  # the first round warms up
            limits.append(limit)
            ours.append(seconds)
            memory = max(memory, peak)
    return ours, limits, memory


def _changes(bench: Bench, rows: int, rounds: int) -> tuple[list[float], list[float]]:
    ours, limits = [], []
    bench.clear()
    bench.limit()
    result = bench.extract()
    for number in range(rounds):
        bench.sql("source", CHANGE.format(round=number), "analyze lineitem")
        newer = f"updated_at > '{result.cursor_to}'"
        started = time.perf_counter()
        bench.limit(newer, create=False)
        limits.append(time.perf_counter() - started)
        started = time.perf_counter()
        result = bench.extract()
        ours.append(time.perf_counter() - started)
        if not 0 <= result.rows - rows // 100 <= LOOKBACK_ROWS:
            raise click.ClickException(f"{result.rows} rows landed, {rows // 100} had changed")
    return ours, limits


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    cli()
