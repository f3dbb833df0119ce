#!/usr/bin/env python
"""The main job: make or tick the demo sources, refresh the warehouse, report.

Prints each command it runs, so that each can be run alone. A step that fails does not stop the
steps that still make sense without it; the exit code and the summary tell.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from common.job import Job
from common.project import ROOT
from demo_sources import SOURCES

ARTIFACTS = ROOT / os.environ.get("DBT_TARGET_PATH", "target")
REPORT = ARTIFACTS / "report.html"
RUN_RESULTS = ARTIFACTS / "run_results.json"
INTERRUPTED = 130


def run_job(job: Job, scale: float) -> None:
    if not job.run("python", "scripts/server.py", "start")[0]:
        return
    # A source with a URL of its own is a real one.
    demo = [source for source in SOURCES if not os.environ.get(f"{source.upper()}_URL")]
    if demo:
        only = [] if len(demo) == len(SOURCES) else [f"--source={source}" for source in demo]
        size = [f"--scale={scale:g}"] if scale != 1 else []
        job.run("python", "scripts/demo_sources.py", "--tick", *size, *only)
    # dbt's results of an earlier build must not pass for those of this one.
    RUN_RESULTS.unlink(missing_ok=True)
    job.run("python", "scripts/refresh.py")
    job.run("python", "scripts/report.py")


def results() -> list[dict[str, Any]]:
    """The results of the build."""
    try:
        nodes: list[dict[str, Any]] = json.loads(RUN_RESULTS.read_text())["results"]
    except (OSError, ValueError, KeyError):
        return []
    return nodes


def count(nodes: Iterable[dict[str, Any]], kinds: tuple[str, ...]) -> Counter[str]:
    """How many nodes of some kinds ended how: passed, warned, failed, skipped."""
    words = {"success": "passed", "pass": "passed", "warn": "warned", "skipped": "skipped"}
    return Counter(
        words.get(node["status"], "failed")
        for node in nodes
        if node["unique_id"].split(".")[0] in kinds
    )


def describe(counted: Counter[str]) -> str:
    order = ("passed", "warned", "failed", "skipped")
    return ", ".join(f"{counted[word]} {word}" for word in order if counted[word]) or "none"


def open_on_desktop(page: Path) -> None:
    """Shows a page to whoever sits in front of this machine; nobody does in CI or over SSH."""
    remote = any(os.environ.get(name) for name in ("CI", "SSH_CONNECTION", "SSH_TTY"))
    desktop = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if desktop and opener and not remote:
        quiet = subprocess.DEVNULL
        subprocess.Popen(
            [opener, str(page)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )


def summarize(job: Job, seconds: float) -> None:
    nodes = results()
    verdict = "Not all went well, in" if job.failed else "Done in"
    click.secho(f"\n{verdict} {seconds:.0f} s", bold=True)
    click.echo(f"  models  {describe(count(nodes, ('model', 'snapshot', 'seed')))}")
    click.echo(f"  tests   {describe(count(nodes, ('test',)))}")
    if REPORT.exists():
        click.echo(f"  report  {REPORT}")
    for command in job.failed:
        click.secho(f"  failed  {command}", fg="red")
    if job.failed:
        click.echo("Run a failed command alone to see more; `make doctor` checks the set-up.")


@click.command()
@click.option(
    "--scale", default=1.0, show_default=True, help="Size of new demo sources: 1 is 150 000 rows."
)
def cli(scale: float) -> None:
    """Run the main job, from the source systems to the report."""
    if os.environ.get("MEDALLION_TARGET", "dev") != "dev":
        raise click.ClickException("MEDALLION_TARGET is set, and the demo runs on `dev`: unset it.")
    started = time.monotonic()
    job = Job()
    REPORT.unlink(missing_ok=True)
    try:
        run_job(job, scale)
    except KeyboardInterrupt:
        click.echo("\nStopped. `make demo` goes on from here.", err=True)
        sys.exit(INTERRUPTED)
    summarize(job, time.monotonic() - started)
    if REPORT.exists():
        open_on_desktop(REPORT)
    sys.exit(1 if job.failed else 0)


if __name__ == "__main__":
    cli()
