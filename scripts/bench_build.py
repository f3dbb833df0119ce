#!/usr/bin/env python
"""Measures a refresh of all domains, in one run: the first one, an idle one, one after a day.

Everything happens on a server of its own. Besides the time on the clock it tells how much of it the
database worked, as dbt measures its nodes: the rest is dbt's own, some 30 ms for each node.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

import demo_sources
from common.embedded_postgres import Cluster
from common.postgres import connect
from common.project import ROOT

STDERR = Console(stderr=True)


@dataclass(frozen=True)
class Measured:
    """What a refresh took: seconds on the clock, seconds of its nodes, and how many there were."""

    seconds: float
    node_seconds: float
    nodes: int


class Bench:
    """All demo sources and a warehouse."""

    def __init__(self, cluster: Cluster, folder: Path, scale: float) -> None:
        self.results = folder / "run_results.json"
        self.urls = {source: cluster.url(source) for source in demo_sources.SOURCES}
        self.env = {
            **os.environ,
            **{f"{source.upper()}_URL": url for source, url in self.urls.items()},
            "MEDALLION_TARGET": "dev",
            "MEDALLION_PGHOST": str(cluster.socket_dir),
            "MEDALLION_PGDATABASE": "warehouse",
            "DBT_TARGET_PATH": str(folder),
            "DBT_LOG_PATH": str(folder),
        }
        with closing(connect(cluster.url(), "bench")) as connection, connection.cursor() as cursor:
            cursor.execute("create database warehouse")
        for source in demo_sources.SOURCES:
            with STDERR.status(f"making {source}"):
                demo_sources.create(cluster.url(), source, scale)

    def day(self) -> None:
        """A day goes by at every source."""
        for source, url in self.urls.items():
            with STDERR.status(f"a day at {source}"):
                demo_sources.tick(url, source)

    def refresh(self, *arguments: str) -> Measured:
        """Extracts, builds what changed, tests it, checks freshness."""
        self.results.unlink(missing_ok=True)
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "refresh.py"), *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        if done.returncode:
            raise click.ClickException(
                f"refresh.py failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
            )
        # dbt's freshness writes its own file, sources.json.
        nodes = json.loads(self.results.read_text())["results"] if self.results.exists() else []
        return Measured(seconds, sum(node["execution_time"] for node in nodes), len(nodes))


@click.command(help=__doc__)
@click.option("--scale", default=1.0, show_default=True, help="1 is about 150 000 source rows.")
def cli(scale: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster.temporary()
        try:
            cluster.start()
            bench = Bench(cluster, Path(folder), scale)
            measured = {"the first, all new": bench.refresh()}
            measured["nothing new"] = bench.refresh()
            measured["everything, nothing new"] = bench.refresh("--all")
            bench.day()
            measured["after a day"] = bench.refresh()
        finally:
            cluster.remove()
    show(measured, scale)


def show(measured: dict[str, Measured], scale: float) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"refresh.py at scale {scale:g}")
    for name in ("refresh", "seconds", "of the first", "nodes", "node seconds", "of the first's"):
        table.add_column(name, justify="left" if name == "refresh" else "right")
    first = next(iter(measured.values()))
    for name, one in measured.items():
        table.add_row(
            *(name, f"{one.seconds:.1f}", f"{one.seconds / first.seconds:.2f}"),
            *(str(one.nodes), f"{one.node_seconds:.1f}"),
            f"{one.node_seconds / first.node_seconds:.2f}",
        )
    console = Console()
    console.width = max(console.width, 100)
    console.print(table)


if __name__ == "__main__":
    cli()
