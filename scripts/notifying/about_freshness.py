"""What there is to say of sources that are stale."""

from __future__ import annotations

from collections.abc import Sequence

from notifying.circumstances import Circumstances
from notifying.formats import with_blocks
from notifying.masking import without_data
from notifying.message import Code, Line, Link, Message, Part, block, fact
from notifying.routing import answering, in_words
from reporting.artifacts import Age, Freshness, Manifest

FAILED = ("error", "runtime error")
WARNED = ("warn",)


def found(freshness: Freshness, statuses: Sequence[str]) -> list[Age]:
    """The source tables with one of these statuses, by how far they are beyond their limit."""

    def beyond(age: Age) -> tuple[float, str]:
        limit = age.error_hours or age.warn_hours or 1
        return (-(age.hours / limit if age.hours is not None else float("inf")), age.unique_id)

    return sorted((age for age in freshness.ages.values() if age.status in statuses), key=beyond)


def message(
    manifest: Manifest,
    freshness: Freshness,
    around: Circumstances,
    environment: str,
    found: Sequence[Age],
) -> Message:
    """The message about these source tables."""
    names = [manifest.node(age.unique_id).name for age in found]
    which = names[0] if len(names) == 1 else f"{len(names)} tables, {', '.join(names)}"
    is_stale = any(age.status in FAILED for age in found)
    facts = [
        fact("Environment", environment),
        fact("Measured", f"{freshness.generated:%Y-%m-%d %H:%M} UTC"),
    ]
    if around.url.startswith(("https://", "http://")):
        facts.append((Link("The run", around.url),))
    return with_blocks(
        Message(
            f"{'STALE' if is_stale else 'LATE'} on {environment}: {which}",
            "failure" if is_stale else "warning",
        ),
        block([_source(manifest, age) for age in found]),
        block(facts, vital=True),
    )


def _source(manifest: Manifest, age: Age) -> Line:
    node = manifest.node(age.unique_id)
    parts: list[Part] = [Code(node.name), f": {_age_in_words(age)}"]
    if node.owner:
        parts.append(f", owner {in_words(answering(manifest, node), node.owner)}")
    return tuple(parts)


def _age_in_words(age: Age) -> str:
    if age.status == "runtime error":
        said = without_data(age.message)
        return f"its age cannot be measured{f' ({said})' if said else ''}"
    if age.hours is None:
        return "it was never extracted"
    limit = age.warn_hours if age.status == "warn" else age.error_hours or age.warn_hours
    allowed = f", the limit is {limit:,.4g}" if limit is not None else ""
    return f"last extracted {age.hours:,.1f} hours ago{allowed}"
