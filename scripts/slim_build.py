#!/usr/bin/env python
"""Builds what a pull request changes upon its base, beside it, and shows the difference.

`base` lands the sources and makes the base's commit live in the schemas of a ci target; `changes`
builds what differs from it and all that reads that, tests it and compares. Where the base can't be
built, all is built, and nothing is compared. Sources without a URL are the demo's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import click

from common import sqlserver
from common.dbt_project import DbtProjectError, target_name, warehouse_credentials, warehouse_url
from common.embedded_postgres import Cluster
from common.environment import environment_of
from common.job import Job
from common.project import ROOT, TARGET
from demo_sources import SOURCES
from extract import DEMO_SOURCES
from extraction.declared import read_project
from extraction.errors import ExtractError
from pull_request import slim
from pull_request.slim import Slim

ARTIFACTS = Path(os.environ.get("DBT_TARGET_PATH", TARGET))
FOLDER = ARTIFACTS / "slim"
# Which commit is the base, once it is built; or why it is not.
BASE = "base.json"
DATABASE = ROOT / "scripts" / "sqlserver" / "database.sql"


@click.group(help=__doc__)
def cli() -> None:
    """The commands below."""


@cli.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--scale", default=0.1, show_default=True, help="Size of the demo sources.")
def base(folder: Path, scale: float) -> None:
    """Make what FOLDER has checked out live, to build upon."""
    target = _ci_target()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    if target.endswith("_sqlserver"):
        _make_sqlserver_database(target)
    job = Job()
    # Not where this project's artifacts go.
    env = {**_with_sources(job, scale), "DBT_TARGET_PATH": str(folder.resolve() / "target")}
    scripts = folder.resolve() / "scripts"
    built = (
        job.run("python", str(scripts / "extract.py"), "--missing", env=env)[0]
        and job.run("python", str(scripts / "blue_green.py"), "run", "--wait", "900", env=env)[0]
    )
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()
    why = "" if built else f"the base {commit[:8]} can't be built: {job.failed[0]}"
    (FOLDER / BASE).write_text(json.dumps({"commit": commit if built else "", "whole": why}))
    if why:
        click.secho(f"\nAll will be built, because {why}", fg="yellow", bold=True)


@cli.command()
@click.option("--scale", default=0.1, show_default=True, help="Size of the demo sources.")
def changes(scale: float) -> None:
    """Build what differs from the base, test it, compare it."""
    target, started = _ci_target(), time.monotonic()
    try:
        base_ = json.loads((FOLDER / BASE).read_text())
    except FileNotFoundError:
        raise click.ClickException("`slim_build.py base` comes first.") from None
    of_slim = (*slim.ARTIFACTS, slim.SUMMARY, slim.DIFF, slim.COMMENT)
    for file in (*(FOLDER / one for one in of_slim), *(ARTIFACTS / one for one in slim.OF_RUN)):
        file.unlink(missing_ok=True)
    job = Job()
    env = _with_sources(job, scale)
    landed, _ = job.run("python", "scripts/extract.py", "--missing", env=env)
    plan = _build(job, everything=bool(base_["whole"])) if landed else None
    builds = plan["builds"] if plan else []
    Slim(
        target=target,
        base=base_["commit"],
        whole=base_["whole"],
        models=tuple(
            (one["unique_id"], f"{one['schema']}.{one['identifier']}", one["because"])
            for one in builds
        ),
        removed=tuple(one["name"] for one in plan["removed"]) if plan else (),
        failed=tuple(job.failed),
        seconds=round(time.monotonic() - started, 1),
    ).write(FOLDER)
    for command in job.failed:
        click.secho(f"  failed  {command}", fg="red")
    sys.exit(1 if job.failed else 0)


def _build(job: Job, *, everything: bool) -> dict[str, Any] | None:
    """Builds, tests and compares what is planned; returns the plan, if there could be one."""
    script, wish = ("python", "scripts/blue_green.py"), ["--all"] if everything else []
    planned, text = job.run(*script, "plan", "--json", *wish, capture=True)
    if not planned:
        return None
    plan: dict[str, Any] = json.loads(text[text.index("{") :])
    if plan["builds"] or plan["removed"] or plan["tests"]:
        built, _ = job.run(*script, "build", "--unit-tests", "--wait", "900", *wish)
        for name in slim.ARTIFACTS:
            with suppress(FileNotFoundError):
                shutil.copy(ARTIFACTS / name, FOLDER / name)
        if built and not everything:
            output = str(FOLDER / slim.DIFF)
            job.run(*script, "diff", "--format", "markdown", "--output", output)
    if not everything:
        # The others: what they read is as the base has it, and they may have changed alone.
        names = [one["name"] for one in plan["builds"]]
        others = ["--exclude", *names] if names else []
        job.run("dbt", "--log-level", "warn", "test", "--select", "test_type:unit", *others)
    return plan


def _ci_target() -> str:
    """The target in MEDALLION_TARGET, which must be one of ci."""
    try:
        target = target_name()
    except DbtProjectError as error:
        raise click.ClickException(str(error)) from None
    if environment_of(target) != "ci":
        raise click.ClickException(
            f"The target is {target}: set MEDALLION_TARGET to ci or ci_sqlserver, and CI_SCHEMA."
        )
    return target


def _with_sources(job: Job, scale: float) -> dict[str, str]:
    """The environment with a URL for each source that the project declares."""
    try:
        specs = read_project(None).specs
    except ExtractError as error:
        raise click.ClickException(str(error)) from None
    demo = {
        one.source: one.connection
        for one in specs
        if not os.environ.get(one.connection) and one.source in SOURCES
    }
    if not demo:
        return dict(os.environ)
    only = [f"--source={source}" for source in sorted(demo)]
    started, _ = job.run("python", "scripts/server.py", "start")
    if started:
        job.run("python", "scripts/demo_sources.py", f"--scale={scale:g}", *only)
    cluster = Cluster.of_clone(ROOT)
    urls = {name: cluster.url(source) for source, name in demo.items()}
    return {**os.environ, **urls, DEMO_SOURCES: "true"}


def _make_sqlserver_database(target: str) -> None:
    """A service container has no databases of ours."""
    database = str(warehouse_credentials(target).database)
    if database != "warehouse":
        return  # somebody made it: the script knows one name
    url = warehouse_url(target).replace("/warehouse?", "/master?")
    with closing(sqlserver.connect(url, "medallion")) as connection:
        cursor = connection.cursor()
        cursor.execute(DATABASE.read_text(encoding="utf-8"))
        while cursor.nextset():
            pass


if __name__ == "__main__":
    cli()
