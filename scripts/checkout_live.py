#!/usr/bin/env python
"""Checks out the commit that is live on a target, which is what a refresh must build.

Between the merge of a change and its deploy, a branch is ahead of what readers see.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import click

from common.dbt_project import DbtProjectError
from common.project import ROOT
from common.warehouse import errors
from publishing.errors import PublishError
from publishing.outcomes import PARTIAL
from publishing.session import Session


@click.command(help=__doc__)
@click.option("--target", envvar="MEDALLION_TARGET", help="dbt target (default: dev).")
def cli(target: str | None) -> None:
    try:
        with Session.open(target) as session:
            live = session.ledger.live()
    except errors() as error:
        raise click.ClickException(f"warehouse: {str(error).strip()}") from None
    except (DbtProjectError, PublishError) as error:
        raise click.ClickException(str(error)) from None
    if live is None:
        raise click.ClickException("Nothing is live here yet: `scripts/deploy.sh` comes first.")
    # If it is only a part that is live, the refresh looks whether the rest has changed.
    commit = (live.code_version or "").removesuffix(PARTIAL)
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise click.ClickException(
            f"Generation {live.number} is of {commit or 'no commit'}: deploy what is committed."
        )
    done = subprocess.run(
        ["git", "checkout", "--quiet", "--detach", commit],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException(
            f"{commit[:8]} is live and can't be checked out here: {done.stderr.strip()}"
        )
    # The later steps of a job record this commit, not the one that the job began with.
    if environment := os.environ.get("GITHUB_ENV"):
        with Path(environment).open("a", encoding="utf-8") as variables:
            variables.write(f"MEDALLION_COMMIT={commit}\n")
    click.echo(f"Checked out {commit[:8]}, generation {live.number}.")


if __name__ == "__main__":
    cli()
