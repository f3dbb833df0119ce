"""Diffs as plain text for a terminal, at most 110 characters wide."""

from __future__ import annotations

import io
from collections.abc import Sequence

from diffing.model_diff import ModelDiff
from diffing.thresholds import breaches
from diffing.wording import facts, ordered, plural, verdict, where

WIDTH = 110


def terminal(diffs: Sequence[ModelDiff]) -> str:
    """The verdict, what is beyond a limit, each model that differs, a line for each other one."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(
        file=io.StringIO(), width=WIDTH, force_terminal=False, color_system=None, highlight=False
    )
    # Text, not markup: a name may hold brackets.
    console.print(Text(verdict(diffs)))
    for diff in ordered(diffs):
        for breach in breaches(diff):
            console.print(Text(f"  ! {_plain(breach)}"))
    for diff in ordered(diffs):
        if diff.status == "unchanged":
            console.print(
                Text(f"{_plain(diff.name)}: unchanged, {plural(diff.rows_live or 0, 'row')}")
            )
            continue
        console.print()
        title = f"{diff.name}: {where(diff.live, _plain)} → {where(diff.next, _plain)}"
        console.print(Text(_plain(title)))
        table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
        table.add_column(width=2)
        table.add_column(min_width=11, no_wrap=True)
        table.add_column(overflow="fold")
        last = ""
        for heading, fact in facts(diff, _plain):
            table.add_row("", Text("" if heading == last else heading), Text(fact))
            last = heading
        console.print(table)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"  # type: ignore[attr-defined]


def _plain(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(character if character.isprintable() else "�" for character in text)
