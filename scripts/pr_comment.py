#!/usr/bin/env python
"""Tells a pull request what its slim builds found, in one comment that is written over each time.

`compose` needs nothing but files, so that it works on forks, where no job may comment: then the
page of the job shows what it wrote.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from common.github import GitHub, GitHubError
from common.project import TARGET
from pull_request import slim
from pull_request.comment import comment
from reporting.artifacts import ArtifactError

# By it the comment is found again.
MARKER = "<!-- medallion: what the slim builds of this pull request found -->"
FOLDER = Path(os.environ.get("DBT_TARGET_PATH", TARGET)) / "slim"


@click.group(help=__doc__)
def cli() -> None:
    """The commands below."""


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER)
def compose(folder: Path) -> None:
    """Write comment.md in the FOLDER of a slim build, and on the page of the job."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        text = comment(folder)
    except ArtifactError as error:
        raise click.ClickException(str(error)) from None
    (folder / slim.COMMENT).write_text(text, encoding="utf-8")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as page:
            page.write(text)
    click.echo(text)


@cli.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=FOLDER
)
@click.option("--number", envvar="PULL_REQUEST", type=int, required=True, help="Of which one.")
def post(folder: Path, number: int) -> None:
    """Post every comment.md under FOLDER as one comment, or write over the one that is there."""
    texts = [one.read_text(encoding="utf-8") for one in sorted(folder.rglob(slim.COMMENT))]
    if not texts:
        raise click.ClickException(f"There is no {slim.COMMENT} in {folder}: `compose` writes it.")
    body = {"body": "\n".join([MARKER, *texts])}
    try:
        github = GitHub.of_job()
        ours = next((one for one in github.all(f"issues/{number}/comments") if _is_ours(one)), None)
        if ours:
            done = github.send("PATCH", f"issues/comments/{ours['id']}", body)
        else:
            done = github.send("POST", f"issues/{number}/comments", body)
    except GitHubError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{'Written over' if ours else 'Posted'}: {done.get('html_url', number)}")


def _is_ours(entry: dict[str, object]) -> bool:
    # Anybody may write the marker; only what a workflow wrote can be written over.
    user = entry.get("user")
    by_bot = isinstance(user, dict) and user.get("type") == "Bot"
    return by_bot and str(entry.get("body", "")).startswith(MARKER)


if __name__ == "__main__":
    cli()
