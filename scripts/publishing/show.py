"""What the commands print: the verdict first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from diffing import ModelDiff, as_json, markdown, terminal
from diffing.wording import plural
from notifying.outcome import Outcome
from publishing.planning import COPIED, REBUILT, Plan


def plan(planned: Plan) -> str:
    """Each model that is built, with its reason; what is removed; what comes afterwards."""
    live = f"g{planned.base}" if planned.base else "nothing published yet"
    if planned.is_empty:
        return f"Nothing to deploy: the project is as it is live ({live})."
    counted = Counter(one.change for one in planned.builds)
    parts = [f"{counted[one]} {one}" for one in ("new", "changed", "downstream", "refreshed")
             if counted[one]]  # fmt: skip
    parts += [f"{len(planned.removed)} removed"] if planned.removed else []
    parts += [f"{len(planned.tests)} changed tests"] if planned.tests else []
    parts += [plural(len(planned.snapshots), "snapshot")] if planned.snapshots else []
    lines = [click.style(f"Plan upon {live}: {', '.join(parts)}", bold=True)]
    width = max((len(f"{one.schema}.{one.identifier}") for one in planned.builds), default=0)
    history = {COPIED: "its rows are copied first", REBUILT: "built from nothing"}
    for one in planned.builds:
        then = f"; {history[one.history]}" if one.history in history else ""
        place = f"{one.schema}.{one.identifier}"
        lines.append(f"  {one.change:<10} {place:<{width}}  {one.because}{then}")
    for removed in planned.removed:
        read = f"  read by {', '.join(removed.readers)}" if removed.readers else ""
        lines.append(f"  removed    {removed.schema}.{removed.identifier}{read}")
    lines += [f"  tested     {name}" for name in planned.tests]
    lines += [f"  afterwards snapshot {name}, in its place" for name in planned.snapshots]
    lines += [f"  note       {note}" for note in planned.notes]
    return "\n".join(lines)


def diffs(found: Sequence[ModelDiff], form: str) -> str:
    """The differences as a table for the terminal, as Markdown, or as JSON."""
    if form == "json":
        return json.dumps(as_json(found), indent=2, default=str)
    return markdown(found) if form == "markdown" else terminal(found)


def outcome(told: Outcome) -> str:
    """The verdict in one line, and what to type next."""
    live = f"g{told.live_generation}" if told.live_generation else "what it was"
    if told.succeeded is None:
        asked = f".venv/bin/python scripts/blue_green.py status --target {told.target}"
        lines = [click.style(f"NOT KNOWN whether g{told.generation} is live", fg="red", bold=True)]
        return "\n".join([*lines, f"  why       {told.reason}", f"  to see it: {asked}"])
    if not told.succeeded:
        lines = [click.style(f"NOT {_done(told)}, live is still {live}", fg="red", bold=True)]
        lines += [f"  why       {told.reason}"] if told.reason else []
        for one in told.failures:
            rows = f", {one.failures:,} rows" if one.failures else ""
            of = f" of {one.model}" if one.model != one.name else ""
            owner = f" ({one.owner})" if one.owner else ""
            lines.append(f"  failed    {one.name}{of}{rows}{owner}  {one.query}".rstrip())
        return "\n".join(lines)
    took = ""
    if told.publish_milliseconds is not None and told.lock_attempts:
        attempts = plural(told.lock_attempts, "attempt")
        took = f" ({told.publish_milliseconds:,.0f} ms, {attempts})"
    verb = "LIVE" if told.action == "publish" else "ROLLED BACK, live is"
    lines = [click.style(f"{verb} {live}", fg="green", bold=True) + f" on {told.target}{took}"]
    lines += [f"  but       {told.reason}"] if told.reason else []
    if told.models:
        lines.append(f"  models    {len(told.models)}")
    lines += [f"  note      {note}" for note in told.notes]
    if told.rollback_command:
        lines.append(f"  to go back: {told.rollback_command}")
    return "\n".join(lines)


def _done(told: Outcome) -> str:
    return "DEPLOYED" if told.action == "publish" else "ROLLED BACK"


def status(listed: Iterable[Mapping[str, Any]]) -> str:
    """A line for each generation, the newest first."""
    rows = [("", "status", "kind", "relations", "kept", "published", "by", "commit", "")]
    for one in listed:
        when = one["published_at"]
        rows.append(
            (
                f"g{one['generation']}",
                one["status"],
                one["kind"],
                str(one["relations"]),
                _size(one["kept_bytes"]),
                f"{when:%Y-%m-%d %H:%M}" if when else "",
                one["author"] or "",
                (one["commit"] or "")[:8] + (one["commit"] or "")[40:],
                (one["message"] or "").splitlines()[0][:60] if one["message"] else "",
            )
        )
    if len(rows) == 1:
        return "Nothing was published here yet."
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _size(size: float) -> str:
    if not size:
        return ""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"
