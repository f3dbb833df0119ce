"""Diffs as Markdown, for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from diffing.model_diff import ModelDiff
from diffing.thresholds import breaches, percent
from diffing.wording import facts, ordered, plural, verdict


def markdown(diffs: Sequence[ModelDiff]) -> str:
    """The verdict, what is beyond a limit, a table, the details; unchanged models in one line."""
    return "\n".join(_lines(diffs)) + "\n"


def _lines(diffs: Sequence[ModelDiff]) -> Iterator[str]:
    yield f"### {verdict(diffs)}"
    beyond = [breach for diff in ordered(diffs) for breach in breaches(diff)]
    if beyond:
        yield ""
        yield from (f"- {code(breach)}" for breach in beyond)
    differing = [diff for diff in ordered(diffs) if diff.status != "unchanged"]
    unchanged = [diff for diff in ordered(diffs) if diff.status == "unchanged"]
    if differing:
        yield ""
        yield "| model | rows in live | rows in next | only live | only next | changed | |"
        yield "|---|--:|--:|--:|--:|--:|---|"
        yield from (_row(diff) for diff in differing)
    if unchanged:
        names = ", ".join(code(diff.name) for diff in unchanged)
        yield ""
        yield f"{plural(len(unchanged), 'model')} unchanged: {names}"
    for diff in differing:
        yield ""
        # The summary is HTML, in which nothing is Markdown.
        yield f"<details><summary>{_html(diff.name)}</summary>"
        yield ""
        yield from (f"- {heading}: {fact}" for heading, fact in facts(diff, code))
        yield ""
        yield "</details>"


def _row(diff: ModelDiff) -> str:
    rows = diff.rows
    changed = "" if rows is None else f"{rows.changed:,}"
    if rows and diff.changed_pct:
        changed += f" ({percent(diff.changed_pct)})"
    cells = [
        code(diff.name),
        *("" if n is None else f"{n:,}" for n in (diff.rows_live, diff.rows_next)),
        *(("", "") if rows is None else (f"{rows.only_live:,}", f"{rows.only_next:,}")),
        changed,
        "**beyond limits**" if breaches(diff) else diff.status,
    ]
    return f"| {' | '.join(cells)} |"


def code(text: str) -> str:
    """A code span: no mention, link or HTML works in it; what could end it or a cell becomes �."""
    inert = re.sub(r"[`|\\]", "�", text)
    inert = "".join(character if character.isprintable() else "�" for character in inert).strip()
    return f"`{inert or '�'}`"


def _html(text: str) -> str:
    """As characters' numbers, except for letters, digits and a few that mean nothing."""
    inert = "".join(character if character.isprintable() else "�" for character in text)
    marked = re.sub(r"[^\w .,-]", lambda found: f"&#{ord(found[0])};", inert)
    return f"<code>{re.sub('_', '&#95;', marked)}</code>"
