#!/usr/bin/env python
"""Lands the tables of the source systems that the dbt sources declare.

Each table is a batch that becomes visible whole or not at all. Run it again after any failure.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import click
from rich import box
from rich.console import Console
from rich.table import Table

from common.environment import environment_of
from common.sources import EXAMPLES, kind_of, source_url
from demo_api import serving
from extraction.declared import Project, read_project
from extraction.engine import BatchResult, Window
from extraction.errors import ExtractError
from extraction.progress import ProgressView
from extraction.run import Options, Plan, extract, never_landed, plan
from extraction.spec import TableSpec, select

STDERR = Console(stderr=True)

# Targets on which a source's URL may lead to its demo database, which is a Postgres for every kind.
DEVELOPMENT = ("dev", "dev_sqlserver")
# On ci, too, if this is set: scripts/slim_build.py says so of the sources that it makes.
DEMO_SOURCES = "MEDALLION_DEMO_SOURCES"


@click.command(help=__doc__)
@click.option("--target", envvar="MEDALLION_TARGET", help="dbt target to load into (default: dev).")
@click.option("--source", "sources", multiple=True, help="Only this source; can be repeated.")
@click.option("--table", "tables", multiple=True, help="Only this table: rental, pagila.rental.")
@click.option("--missing", is_flag=True, help="Only tables that have never landed.")
@click.option("--full-refresh", is_flag=True, help="Read cursor tables from the start again.")
@click.option("--since", metavar="VALUE", help="Read cursor tables from this cursor value on.")
@click.option("--threads", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=60,
    show_default=True,
    help="Seconds to wait for a server that is starting.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan, change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan or the summary as JSON.")
def cli(
    target: str | None,
    sources: tuple[str, ...],
    tables: tuple[str, ...],
    missing: bool,
    full_refresh: bool,
    since: str | None,
    threads: int,
    wait: float,
    dry_run: bool,
    as_json: bool,
) -> None:
    if since is not None and full_refresh:
        raise click.UsageError("--since and --full-refresh exclude each other.")
    try:
        project = read_project(target)
    except ExtractError as error:
        raise click.ClickException(str(error)) from None
    request = Request(sources, tables, since, full_refresh, threads, wait, missing)
    if not (show_plans if dry_run else land)(project, request, as_json=as_json):
        sys.exit(1)


@dataclass(frozen=True)
class Request:
    """Which tables to read, and how; `wait` in seconds. See the command's options."""

    sources: Sequence[str] = ()
    tables: Sequence[str] = ()
    since: str | None = None
    full_refresh: bool = False
    threads: int = 4
    wait: float = 60
    missing: bool = False


def land(project: Project, request: Request, *, as_json: bool = False) -> bool:
    """Lands the tables and tells how it went; whether all of them landed."""
    started = time.monotonic()
    try:
        with _asked_for(project, request) as (specs, options), ProgressView(STDERR) as view:
            results = extract(specs, options, view, view.done)
    except ExtractError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        # Whatever was under way is taken back by the servers, as after any death.
        STDERR.print("Interrupted: unfinished batches are taken back. Run again at any time.")
        os._exit(130)
    seconds = time.monotonic() - started
    failed = [result for result in results if result.error]
    if as_json:
        print(json.dumps(_summary(results, seconds), indent=2))
    rows = sum(result.rows for result in results)
    STDERR.print(
        f"{len(results) - len(failed)} of {len(results)} tables, {rows:,} rows in {seconds:.1f} s",
        style="bold red" if failed else "bold",
        highlight=False,
    )
    if failed:
        names = ", ".join(result.spec.name for result in failed)
        STDERR.print(f"Failed: {names}. What landed before is intact.", highlight=False)
    return not failed


def show_plans(project: Project, request: Request, *, as_json: bool = False) -> bool:
    """Prints what `land` would do; whether it could be found out for all tables."""
    try:
        with _asked_for(project, request) as (specs, options):
            plans = plan(specs, options)
    except ExtractError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        print(json.dumps([_plan(plan) for plan in plans], indent=2))
    else:
        table = Table(box=box.SIMPLE_HEAD, title="What would be read; nothing was changed")
        for name in ("table", "mode", "from watermark", "to", "about rows", "schema changes"):
            table.add_column(name, justify="right" if name == "about rows" else "left")
        for item in plans:
            window = item.window or Window()
            changes = item.error or "; ".join(item.drift.changes if item.drift else [])
            table.add_row(
                *(item.spec.name, item.spec.mode, window.cursor_from, window.cursor_to),
                *("" if item.error else f"{item.rows:,}", changes),
            )
        console = Console()
        console.width = console.width if console.is_terminal else 160
        console.print(table, highlight=False)
    return not any(plan.error for plan in plans)


@contextmanager
def _asked_for(project: Project, request: Request) -> Iterator[tuple[list[TableSpec], Options]]:
    """The tables asked for, while the demo's APIs among their sources are served."""
    specs = select(project.specs, request.sources, request.tables)
    if request.missing:
        specs = never_landed(specs, project.warehouse, request.wait)
    urls = _urls(specs, project.target)
    with ExitStack() as apis:
        yield (
            specs,
            Options(
                *(project.warehouse, _with_demo_apis(specs, urls, apis), request.since),
                *(request.full_refresh, request.threads, request.wait),
                target=project.target,
            ),
        )


def _urls(specs: list[TableSpec], target: str) -> dict[str, str]:
    urls = {}
    for spec in specs:
        url = source_url(spec.source, spec.connection, target)
        if url is None:
            raise ExtractError(
                f"Source {spec.source}: set {spec.connection} to its URL "
                f"({EXAMPLES[spec.kind]}), see .env.example."
            )
        if kind_of(url) != spec.kind and not _may_be_demo(target):
            raise ExtractError(
                f"Source {spec.source}: its YAML says `kind: {spec.kind}`, and {spec.connection} "
                f"is the URL of a {kind_of(url)} system. Correct the one that is wrong."
            )
        urls[spec.source] = url
    return urls


def _may_be_demo(target: str) -> bool:
    is_ci = environment_of(target) == "ci"
    return target in DEVELOPMENT or (is_ci and bool(os.environ.get(DEMO_SOURCES)))


def _with_demo_apis(
    specs: list[TableSpec], urls: dict[str, str], apis: ExitStack
) -> dict[str, str]:
    """The same URLs, with an API in the place of each demo database that stands for one."""
    databases = {
        spec.source: urls[spec.source]
        for spec in specs
        if spec.kind == "http" and kind_of(urls[spec.source]) != "http"
    }
    served = {name: apis.enter_context(serving(url)).url for name, url in databases.items()}
    return {**urls, **served}


def _summary(results: list[BatchResult], seconds: float) -> dict[str, object]:
    return {
        "tables": [
            {
                "source": result.spec.source,
                "table": result.spec.table,
                "mode": result.spec.mode,
                "status": result.status,
                "batch_id": result.batch_id,
                "rows": result.rows,
                "deleted": result.deleted,
                "restored": result.restored,
                "seconds": round(result.seconds, 3),
                "cursor_from": result.cursor_from,
                "cursor_to": result.cursor_to,
                "changes": result.changes,
                "warnings": result.warnings,
                "error": result.error,
            }
            for result in results
        ],
        "rows": sum(result.rows for result in results),
        "seconds": round(seconds, 3),
    }


def _plan(plan: Plan) -> dict[str, object]:
    window = plan.window or Window()
    return {
        "table": plan.spec.name,
        "mode": plan.spec.mode,
        "cursor_from": window.cursor_from,
        "cursor_to": window.cursor_to,
        "rows": plan.rows,
        "changes": plan.drift.changes if plan.drift else [],
        "error": plan.error,
    }


if __name__ == "__main__":
    cli()
