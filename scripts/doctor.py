#!/usr/bin/env python
"""Says what is wrong with this set-up and how to mend it; ends with 1 if something is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

try:
    import click

    from common.embedded_postgres import Cluster
    from common.project import ROOT
    from diagnosis.environment import check_dotenv, check_packages, check_python
    from diagnosis.finding import Finding, Level
    from diagnosis.odbc import check_odbc, has_sqlserver_url
    from diagnosis.profile import check_profile
    from diagnosis.systems import (
        check_disk,
        check_port,
        check_server,
        check_sources,
        check_warehouse,
    )
except ImportError as error:
    sys.exit(f"problem  packages: {error}\n         `make install` installs them.")

COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}
DOCS_PORT = 8080


def findings(target: str | None) -> Iterator[Finding]:
    """Looks at everything, the cheap first; what needs a target only if there is one."""
    yield check_python()
    yield check_packages(ROOT / "requirements.lock")
    if dotenv := check_dotenv(ROOT / ".env"):
        yield dotenv
    cluster = Cluster.of_clone(ROOT)
    yield check_server(cluster)
    yield check_disk(cluster.home)
    yield check_port(DOCS_PORT)
    profile, usable_target = check_profile(target)
    yield profile
    yield check_odbc(profile.found.endswith("on sqlserver") or has_sqlserver_url())
    if usable_target:
        yield check_warehouse(usable_target)
        yield from check_sources(target)


def show(finding: Finding) -> None:
    level = click.style(f"{finding.level.value:8}", fg=COLOURS[finding.level.value])
    click.echo(f"{level} {finding.check}: {finding.found}")
    if finding.remedy:
        click.echo(f"         {finding.remedy}")


@click.command(help=__doc__)
@click.option("--target", help="dbt target to look at (default: the profile's).")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def cli(target: str | None, as_json: bool) -> None:
    found = []
    for finding in findings(target):
        found.append(finding)
        if not as_json:
            show(finding)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    sys.exit(any(finding.level is Level.PROBLEM for finding in found))


if __name__ == "__main__":
    cli()
