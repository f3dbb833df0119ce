#!/usr/bin/env python
"""Runs commands, NAME=COMMAND each, and says how long each took; fails if one fails.

With several workers (-j) a command's output comes when it has ended, so that lines don't mix.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import click

from common.project import ROOT


@dataclass(frozen=True)
class Done:
    """A step that has ended; its time in seconds."""

    name: str
    code: int
    seconds: float


def run(step: str, *, at_once: bool) -> Done:
    name, _, command = step.partition("=")
    start = time.monotonic()
    process = subprocess.Popen(
        shlex.split(command),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=None if at_once else subprocess.PIPE,
        stderr=None if at_once else subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    said, _ = process.communicate()
    if said and (said := said.rstrip()):
        click.echo(f"[{name}]\n{said}")
    return Done(name, process.returncode, time.monotonic() - start)


@click.command(help=__doc__)
@click.option("-j", "--workers", default=1, help="How many steps run at a time.")
@click.argument("steps", nargs=-1, required=True)
def main(workers: int, steps: tuple[str, ...]) -> None:
    start = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(lambda step: run(step, at_once=workers == 1), steps))
    width = max(len(step.name) for step in done)
    click.echo("\nWhere the time went")
    for step in sorted(done, key=lambda step: -step.seconds):
        verdict = "" if step.code == 0 else "  FAILED"
        click.echo(f"  {step.name:<{width}}  {step.seconds:6.1f} s{verdict}")
    click.echo(f"  {'in all':<{width}}  {time.monotonic() - start:6.1f} s")
    sys.exit(any(step.code for step in done))


if __name__ == "__main__":
    main()
