"""Turns a report into one HTML file that needs nothing else.

Everything that comes from outside is escaped by Jinja, and passes `redact` on its way. The page's
own policy (Content-Security-Policy) forbids every request and every script but the one it brings.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reporting import lineage as drawing
from reporting.collect import Report
from reporting.timeline import Span, Timeline

HERE = Path(__file__).parent
TIMELINE_ROWS = 32
NONE = "\N{EN DASH}"

_PASSWORD_IN_URL = re.compile(r"(?<=://)([^\s:/@'\"]*):[^\s/@'\"]+@")
_PASSWORD_SETTING = re.compile(
    r"(?i)\b(password|passwd|pwd)(\s*=\s*)('[^']*'|\{[^}]*\}|[^\s;,'\")]+)"
)
_SHORTEST_SECRET = 4


def render(report: Report) -> str:
    """The page. It differs only by the report, apart from what the environment says is secret."""
    script = (HERE / "copy.js").read_text(encoding="utf-8")
    redact = redactor(os.environ)
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=redact,
    )
    words = (seconds, hours, number, clock, share, plural, moment, prose, name, redact)
    environment.filters.update({word.__name__: word for word in words})
    ids = anchors(row.node.unique_id for layer in report.layers for row in layer.nodes)
    rows = {row.node.unique_id: row for layer in report.layers for row in layer.nodes}
    return environment.get_template("report.html.j2").render(
        report=report,
        rows=rows,
        anchors=ids,
        lineage=drawing.lineage(report.layers),
        title=drawing.title,
        shown=timeline_rows(report.timeline) if report.timeline else (),
        ticks=ticks(report.timeline.seconds) if report.timeline else (),
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),  # noqa: S704  # our own
        script=Markup(script),  # noqa: S704  # our own
        script_hash=_hash(script),
    )


def redactor(environment: Mapping[str, str]) -> Callable[[object], object]:
    """Masks passwords in URLs and connection strings, and the value of every secret variable."""
    secrets = [
        re.escape(value)
        for name, value in environment.items()
        if name.startswith("DBT_ENV_SECRET_") and len(value) >= _SHORTEST_SECRET
    ]
    known = re.compile("|".join(sorted(secrets, key=len, reverse=True)) or r"(?!)")

    def redact(value: object) -> object:
        if not isinstance(value, str) or isinstance(value, Markup):  # Markup has been here before
            return value
        value = known.sub("*****", value)
        value = _PASSWORD_IN_URL.sub(r"\1:*****@", value)
        return _PASSWORD_SETTING.sub(r"\1\2*****", value)

    return redact


def anchors(unique_ids: Iterable[str]) -> dict[str, str]:
    """An id in the page for each node: readable, safe in a URL, the same in every report."""
    found: dict[str, str] = {}
    for unique_id in sorted(unique_ids):
        plain = re.sub(r"[^A-Za-z0-9_.-]", "-", unique_id)
        if plain != unique_id:
            plain += "-" + hashlib.sha256(unique_id.encode()).hexdigest()[:6]
        found[unique_id] = plain
    return found


def timeline_rows(timeline: Timeline) -> tuple[Span, ...]:
    """The nodes worth a line of their own: the critical path, what failed, and the longest."""
    longest = sorted(timeline.spans, key=lambda span: (span.node.is_test, -span.run))
    chosen = {span.node.unique_id for span in longest[:TIMELINE_ROWS]}
    return tuple(
        span
        for span in timeline.spans
        if span.critical or span.result.failed or span.node.unique_id in chosen
    )


def ticks(total: float) -> tuple[float, ...]:
    """Round moments for a time axis of `total` seconds: about five, the first at zero."""
    decades = [step * 10.0**power for power in (-3, -2, -1, 0) for step in (1, 2, 5)]
    steps = [*decades, 10, 15, 30, *(60.0 * step for step in (1, 2, 5, 10, 15, 30))]
    step = next((step for step in steps if step * 5 >= total), 3600.0 * math.ceil(total / 18000))
    return tuple(step * i for i in range(int(total / step) + 1))


def moment(value: float) -> str:
    """A tick's label: `0.5 s`, `20 s`, `1:30 min`, `2 h`."""
    minute, hour = 60, 3600
    if value < minute:
        return f"{value:.3g} s" if value else "0"
    if value % hour == 0:
        return f"{value / hour:.0f} h"
    return (
        f"{value // minute:.0f}:{value % minute:02.0f} min"
        if value % minute
        else f"{value / minute:.0f} min"
    )


def seconds(value: float | None) -> str:
    """`0.05 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`."""
    if value is None:
        return NONE
    minute, hour = 60, 3600
    if value < 10:
        return f"{value:.2f} s"
    if value < minute:
        return f"{value:.1f} s"
    if value < hour:
        return f"{int(value // minute)} min {int(value % minute):02} s"
    return f"{int(value // hour)} h {int(value % hour // minute):02} min"


def hours(value: float | None) -> str:
    return NONE if value is None else f"{value:,.1f}"


def number(value: float | None) -> str:
    return NONE if value is None else f"{value:,}"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def prose(text: str) -> Markup:
    """Our own sentences: what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def name(text: str) -> Markup:
    """A long name may break after its underscores."""
    return Markup(str(escape(text)).replace("_", "_<wbr>"))  # noqa: S704


def clock(moment: datetime | None) -> str:
    """`20 Nov 2026, 12:00 UTC`"""
    if moment is None:
        return NONE
    moment = moment.astimezone(timezone.utc)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def share(value: float, total: float, out_of: float = 100) -> str:
    """`value` as a part of `total`, for a coordinate; never beyond the end."""
    return f"{min(1.0, max(0.0, value / total)) * out_of:.2f}" if total else "0"


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
