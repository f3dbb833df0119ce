"""What there is to say of a publish or a rollback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from notifying.circumstances import Circumstances
from notifying.formats import with_blocks
from notifying.message import Block, Code, Level, Line, Link, Message, Part, block, fact
from notifying.outcome import Change, FailedTest, ModelChange, Outcome
from notifying.routing import in_words
from reporting.artifacts import Group

ORDER: tuple[Change, ...] = ("removed", "changed", "new", "rebuilt", "unchanged code")


def message(
    outcome: Outcome,
    around: Circumstances,
    groups: dict[str, Group],
    failures: Sequence[FailedTest],
) -> Message:
    """The message about an outcome, with these of its failed tests."""
    verdict, level = _verdict(outcome)
    return with_blocks(
        Message(verdict, level),
        block([(outcome.reason,)] if outcome.reason else [], vital=True),
        _failures(failures, groups),
        block(_facts(outcome, around), vital=True),
        _models(outcome.models),
        block([(text,) for text in outcome.confirmations], "Confirmed by flag"),
        block([(text,) for text in outcome.notes], "Notes"),
    )


def _verdict(outcome: Outcome) -> tuple[str, Level]:
    live, tried = _generation(outcome.live_generation), _generation(outcome.generation)
    where = outcome.environment
    is_live = f"live is still {live}" if live else "live is as it was"
    if outcome.live_generation == 0:
        is_live = "nothing is live yet"
    if outcome.succeeded is None:
        return f"NOT KNOWN whether {tried} is live on {where}", "failure"
    if outcome.action == "publish":
        if outcome.succeeded and outcome.reason:
            return f"LIVE {tried or live} on {where}, but not all went well", "warning"
        if outcome.succeeded:
            return f"LIVE {tried or live} on {where}", "success"
        return f"NOT deployed to {where}, {is_live}", "failure"
    if outcome.succeeded:
        before = _generation(outcome.previous_generation)
        taken_back = f", {before} taken back" if before else ""
        return f"ROLLED BACK: {where} is live on {tried or live}{taken_back}", "warning"
    return f"NOT rolled back on {where}, {is_live}", "failure"


def _generation(number: int | None) -> str:
    return "" if number is None else f"g{number}"


def _failures(failures: Sequence[FailedTest], groups: dict[str, Group]) -> Block:
    return block([_failure(one, groups) for one in failures], "Failing tests", most=10)


def _failure(failed: FailedTest, groups: dict[str, Group]) -> Line:
    parts: list[Part] = [Code(failed.name)]
    if failed.model:
        parts += [" on ", Code(failed.model)]
    parts.append(f": {rows(failed.failures)}")
    if failed.owner:
        group = groups.get(failed.owner)
        parts.append(f", owner {in_words([group] if group else [], failed.owner)}")
    if failed.query:
        parts += [", query ", Code(failed.query)]
    return tuple(parts)


def rows(count: int | None) -> str:
    if count is None:
        return "it could not run"
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _facts(outcome: Outcome, around: Circumstances) -> list[Line]:
    commit, author = outcome.commit or around.commit, outcome.author or around.author
    url = outcome.run_url or around.url
    target = f" (target {outcome.target})" if outcome.target != outcome.environment else ""
    facts: list[Line] = [fact("Environment", outcome.environment + target)]
    if commit:
        facts.append(fact("Commit", Code(commit[:12]), f" by {author}" if author else ""))
    elif author:
        facts.append(fact("Author", author))
    if not outcome.succeeded and outcome.generation is not None:
        facts.append(fact("Tried", f"g{outcome.generation}"))
    if outcome.rollback_command:
        facts.append(fact("To roll back", Code(outcome.rollback_command)))
    if times := _times(outcome):
        facts.append(fact("Took", times))
    if url.startswith(("https://", "http://")):
        facts.append((Link("The run", url),))
    return facts


def _times(outcome: Outcome) -> str:
    found = []
    if outcome.publish_milliseconds is not None:
        found.append(f"{outcome.publish_milliseconds:,.0f} ms to {outcome.action}")
    if outcome.lock_attempts is not None:
        attempts = "attempt" if outcome.lock_attempts == 1 else "attempts"
        found.append(f"{outcome.lock_attempts:,} {attempts} to lock")
    if outcome.seconds is not None:
        found.append(f"{outcome.seconds:,.0f} s in all")
    return ", ".join(found)


def _models(models: Sequence[ModelChange]) -> Block:
    counts = Counter(model.change for model in models)
    title = ", ".join(f"{counts[change]} {change}" for change in ORDER if counts[change])
    ordered = sorted(models, key=lambda model: (ORDER.index(model.change), model.name))
    return block([_model(model) for model in ordered], f"Models: {title}")


def _model(model: ModelChange) -> Line:
    before, after = model.rows_live, model.rows_next
    if after is not None and after == before:
        counted = f", {rows(after)}"
    elif before is not None and after is not None:
        counted = f", {before:,} → {after:,} rows ({after - before:+,})"
    elif after is not None:
        counted = f", {rows(after)}"
    elif before is not None:
        counted = f", had {rows(before)}"
    else:
        counted = ""
    return (Code(model.name), f" {model.change}{counted}")
