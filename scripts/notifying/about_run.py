"""What there is to say of a dbt run in which something failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from notifying.about_outcome import rows
from notifying.circumstances import Circumstances
from notifying.formats import with_blocks
from notifying.masking import without_data
from notifying.message import Code, Line, Link, Message, Part, block, fact
from notifying.routing import answering, in_words
from reporting.artifacts import Manifest, Run
from reporting.problems import Problem, problems

PLURALS = {"data test": "data tests", "unit test": "unit tests", "analysis": "analyses"}


def found(manifest: Manifest, run: Run) -> list[Problem]:
    """What failed or warned, the failures first."""
    every = problems(manifest, run, (), (), None)
    return sorted(every, key=lambda problem: problem.status != "failed")


def message(
    manifest: Manifest, run: Run, around: Circumstances, found: Sequence[Problem]
) -> Message:
    """The message about a run, with these of its problems."""
    failed = [problem for problem in found if problem.status == "failed"]
    warned = [problem for problem in found if problem.status != "failed"]
    word = "FAILED" if failed else "WARNED"
    where = f" on {run.target}" if run.target else ""
    verdict = f"{word}: {' '.join(run.command.split()[:2])}{where}, {_counted(failed or warned)}"
    return with_blocks(
        Message(verdict, "failure" if failed else "warning"),
        block([_problem(manifest, one) for one in failed], "Failed", most=10),
        block(_facts(run, around), vital=True),
        block([_problem(manifest, one) for one in warned], "Warned", most=5),
    )


def _counted(found: Sequence[Problem]) -> str:
    counts = Counter(problem.what.lower() for problem in found)
    return ", ".join(
        f"{count} {what if count == 1 else PLURALS.get(what, f'{what}s')}"
        for what, count in counts.items()
    )


def _problem(manifest: Manifest, problem: Problem) -> Line:
    node = manifest.node(problem.about)
    parts: list[Part] = [Code(problem.title)]
    if problem.tested:
        parts += [" on ", Code(manifest.node(problem.tested).name)]
    if problem.count is not None:
        parts.append(f": {rows(problem.count)}")
    elif said := without_data(problem.message):
        parts.append(f": {said}")
    if problem.owner:
        parts.append(f", owner {in_words(answering(manifest, node), problem.owner)}")
    if node.is_test and (node.compiled or problem.path):
        parts += [", query ", Code(node.compiled or problem.path)]
    if problem.commands:  # for a test, the one that shows the rows to whoever may read them
        parts += [", ", problem.commands[0][0][0].lower() + problem.commands[0][0][1:], ": "]
        parts.append(Code(problem.commands[0][1]))
    return tuple(parts)


def _facts(run: Run, around: Circumstances) -> list[Line]:
    facts = [fact("Command", Code(run.command))]
    if run.target:
        facts.insert(0, fact("Environment", run.target))
    if around.pipeline:
        facts.append(fact("Pipeline", around.pipeline))
    if around.commit:
        author = f" by {around.author}" if around.author else ""
        facts.append(fact("Commit", Code(around.commit[:12]), author))
    facts.append(fact("Ended", f"{run.generated:%Y-%m-%d %H:%M} UTC after {run.seconds:,.0f} s"))
    if around.url.startswith(("https://", "http://")):
        facts.append((Link("The run", around.url),))
    return facts
