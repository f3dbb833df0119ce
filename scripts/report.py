#!/usr/bin/env python
"""Writes the run report: one HTML file about the last dbt run, its sources and its tables."""

from __future__ import annotations

import os
from pathlib import Path

import click

from common.project import TARGET
from reporting.collect import collect
from reporting.render import render


@click.command()
@click.option(
    "--target-path",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: os.environ.get("DBT_TARGET_PATH", str(TARGET)),
    show_default="target",
    help="The folder of dbt's artifacts.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: report.html among the artifacts]",
)
@click.option("--target", help="The dbt target to ask for rows.  [default: the run's own]")
def cli(target_path: Path, output: Path | None, target: str | None) -> None:
    """Write the run report from dbt's artifacts and the warehouse.

    Prints the report's path and its verdict in one line. The exit code says whether the report was
    written, not what it says.
    """
    report = collect(target_path, target)
    path = output or target_path / "report.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(report), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    click.echo(path)
    click.echo(report.verdict_line)


if __name__ == "__main__":
    cli()
