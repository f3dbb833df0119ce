"""What a slim build found, in Markdown: the verdict first, the readers, the data, the times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from diffing.markdown import code
from pull_request import slim
from pull_request.slim import Slim
from reporting.artifacts import Manifest, Result, Run, read_manifest, read_run

# GitHub takes 65 536 characters; two engines share a comment.
_LONGEST = 30_000
_SLOWEST = 10
_MOST = 20
_ENGINES = {"ci": "Postgres", "ci_sqlserver": "SQL Server"}
_WORDS = {"success": "passed", "pass": "passed", "warn": "warned", "skipped": "skipped"}
_KINDS = (
    ("models, seeds and snapshots", ("model", "seed", "snapshot")),
    ("data tests", ("test",)),
    ("unit tests", ("unit_test",)),
)


def comment(folder: Path) -> str:
    """The comment on a slim build. Raises ArtifactError for an artifact that is not dbt's."""
    found = Slim.read(folder)
    if found is None:
        return "### Slim build: it did not begin\n\nThe job's log says why.\n"
    manifest, run = (
        read_manifest(folder / "manifest.json"),
        read_run(folder / "run_results.json"),
    )
    text = "\n".join(_lines(folder, found, manifest, run)) + "\n"
    if len(text) <= _LONGEST:
        return text
    cut = text[:_LONGEST].rpartition("\n")[0]
    # A cut in a fold leaves it open.
    cut += "\n\n</details>" * (cut.count("<details>") - cut.count("</details>"))
    return f"{cut}\n\nThe rest is in the job's artifacts.\n"


def _lines(folder: Path, found: Slim, manifest: Manifest | None, run: Run | None) -> Iterator[str]:
    engine = _ENGINES.get(found.target, found.target)
    verdict = "failed" if found.failed else "passed"
    if not (found.models or found.removed or run or found.failed):
        verdict = "nothing to build"
    yield f"### {'❌' if found.failed else '✅'} Slim build on {engine}: {verdict}"
    yield ""
    yield _upon(found)
    for command in found.failed:
        yield f"- failed: {code(command)}"
    if run and manifest:
        yield from _results(manifest, run)
    if manifest:
        yield from _readers(found, manifest)
    diff = folder / slim.DIFF
    if diff.exists():
        yield ""
        yield diff.read_text(encoding="utf-8").strip().replace("### ", "#### Data: ", 1)
    if found.models:
        yield ""
        yield f"<details><summary>What was built ({len(found.models)})</summary>"
        yield ""
        yield from (f"- {code(name)}: {code(because)}" for _, name, because in found.models)
        yield from (f"- {code(name)}: removed" for name in found.removed)
        yield ""
        yield "</details>"
    if run and manifest:
        yield from _times(manifest, run)


def _upon(found: Slim) -> str:
    upon = (
        f"Everything was built, because {code(found.whole)}. So nothing is compared."
        if found.whole
        else f"Upon the base {code(found.base[:8])}: {len(found.models)} built, the rest is read "
        "where the base has it."
    )
    return f"{upon} {found.seconds:.0f} s."


def _results(manifest: Manifest, run: Run) -> Iterator[str]:
    yield ""
    yield "| | passed | warned | failed | skipped |"
    yield "|---|--:|--:|--:|--:|"
    for title, kinds in _KINDS:
        counted = Counter(
            _WORDS.get(result.status, "failed")
            for unique_id, result in run.results.items()
            if manifest.node(unique_id).kind in kinds
        )
        cells = " | ".join(
            str(counted[one] or "") for one in ("passed", "warned", "failed", "skipped")
        )
        yield f"| {title} | {cells} |"
    failed = [one for one in run.results.values() if one.failed]
    if failed:
        yield ""
        yield from (_failure(manifest, one) for one in failed[:_MOST])
        if len(failed) > _MOST:
            yield f"- and {len(failed) - _MOST} more"


def _failure(manifest: Manifest, result: Result) -> str:
    node = manifest.node(result.unique_id)
    of = f" of {code(manifest.node(node.tested).name)}" if node.tested else ""
    rows = f", {result.failures:,} rows" if node.kind == "test" and result.failures else ""
    owner = f" ({code(node.owner)})" if node.owner else ""
    return f"- failed: {code(node.name)}{of}{rows}{owner}"


def _readers(found: Slim, manifest: Manifest) -> Iterator[str]:
    built = {unique_id for unique_id, _, _ in found.models}
    exposures = [
        (node, sorted(manifest.node(one).name for one in built.intersection(node.parents)))
        for node in manifest.nodes.values()
        if node.kind == "exposure" and built.intersection(node.parents)
    ]
    yield ""
    if not exposures:
        yield "**Impacted exposures:** none"
        return
    yield f"**Impacted exposures:** {len(exposures)}"
    yield ""
    for node, reads in sorted(exposures, key=lambda one: one[0].name):
        owner = f" ({code(node.owner)})" if node.owner else ""
        yield f"- {code(node.name)}{owner} reads {', '.join(code(name) for name in reads)}"


def _times(manifest: Manifest, run: Run) -> Iterator[str]:
    slowest = sorted(run.results.values(), key=lambda one: -one.seconds)[:_SLOWEST]
    yield ""
    yield f"<details><summary>Run times: {run.seconds:.0f} s</summary>"
    yield ""
    yield "| node | seconds |"
    yield "|---|--:|"
    for one in slowest:
        yield f"| {code(manifest.node(one.unique_id).name)} | {one.seconds:.1f} |"
    yield ""
    yield "</details>"
