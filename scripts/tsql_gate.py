#!/usr/bin/env python
"""Checks without a server that what dbt would send to SQL Server is T-SQL.

Of the whole project, or of what FILES hold and describe.
"""

from __future__ import annotations

import difflib
import gc
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from common.project import ROOT
from tsql.checks import check
from tsql.record import Recording, Statement, record
from tsql.statements import statements

# What holds the project's own SQL; the rest is the adapter's drops and renames.
QUERY = re.compile(r"\s*(create (or alter )?view|delete|insert|merge|select|update|with)\b", re.I)


@dataclass
class Report:
    """Findings by the place in the project that they come from."""

    project: Path
    lines: dict[str, str] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    generic_tests: set[str] = field(default_factory=set)

    def add(self, recording: Recording) -> None:
        for unique_id, error in recording.errors.items():
            node = find_node(recording.manifest, unique_id)
            message = f"{node.original_file_path}:1: does not compile for SQL Server"
            self.lines.setdefault(message, f"{unique_id}: {error}")
        for recorded in recording.statements:
            for sql in statements(recorded.sql):
                if sql not in self.checked:
                    self.checked.add(sql)
                    self.check(sql, recorded, recording.manifest)

    def check(self, sql: str, recorded: Statement, manifest: Any) -> None:  # noqa: ANN401
        node = find_node(manifest, recorded.node)
        for finding in check(sql, thorough=bool(QUERY.match(sql)) and self.deserves_time(node)):
            text = sql.splitlines()[finding.line - 1].strip()
            place = locate(text, node, manifest, self.project)
            self.lines.setdefault(f"{place}: {finding.message}", f"{recorded.node}: {text}")

    def deserves_time(self, node: Any) -> bool:  # noqa: ANN401
        """What is written for one place; of the generic tests, one of each kind."""
        kind = getattr(node, "resource_type", "hook")
        metadata = getattr(node, "test_metadata", None)
        if metadata is None:
            return bool(kind != "unit_test")
        first = metadata.name not in self.generic_tests
        self.generic_tests.add(metadata.name)
        return first


def find_node(manifest: Any, unique_id: str | None) -> Any:  # noqa: ANN401
    for nodes in (manifest.nodes, manifest.unit_tests, manifest.sources):
        if unique_id in nodes:
            return nodes[unique_id]
    return None


def locate(text: str, node: Any, manifest: Any, project: Path) -> str:  # noqa: ANN401
    """The file and line that a line of SQL comes from: the node's own file, or a macro's."""
    if node is None:
        return "dbt_project.yml:1"
    home = Path(node.original_file_path).as_posix()
    # What is neither in the node's own file nor in a macro it is known to call is in another one.
    files = dict.fromkeys([home, *macro_files(node, manifest), *all_macro_files(node, manifest)])
    sources = {file: (project / file).read_text().splitlines() for file in files}
    for file, lines in sources.items():
        for number, line in enumerate(lines, start=1):
            if line.strip() == text:
                return f"{file}:{number}"
    if not home.endswith(".sql"):  # a test in YAML, a hook
        return f"{home}:1"
    closest = difflib.get_close_matches(text, sources[home], n=1, cutoff=0)
    return f"{home}:{sources[home].index(closest[0]) + 1}"


def macro_files(node: Any, manifest: Any) -> list[str]:  # noqa: ANN401
    """The project's macros that a node calls, directly or through others."""
    found: dict[str, str] = {}
    waiting = list(node.depends_on.macros)
    while waiting:
        macro = manifest.macros.get(waiting.pop())
        if macro and macro.unique_id not in found and macro.package_name == node.package_name:
            found[macro.unique_id] = macro.original_file_path
            waiting += [*macro.depends_on.macros, *dispatched(macro.unique_id, manifest)]
    return list(dict.fromkeys(found.values()))


def all_macro_files(node: Any, manifest: Any) -> list[str]:  # noqa: ANN401
    return [
        macro.original_file_path
        for macro in manifest.macros.values()
        if macro.package_name == node.package_name
    ]


def dispatched(unique_id: str, manifest: Any) -> list[str]:  # noqa: ANN401
    """What a macro that dispatches can end in."""
    package, name = unique_id.rsplit(".", 1)
    names = (f"{package}.{prefix}__{name}" for prefix in ("sqlserver", "default"))
    return [candidate for candidate in names if candidate in manifest.macros]


@click.command(help=__doc__)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--project-dir", type=click.Path(path_type=Path, exists=True), default=ROOT)
@click.option("--profiles-dir", type=click.Path(path_type=Path, exists=True), default=ROOT)
@click.option(
    "--allow", multiple=True, help="A function to accept, such as regexp_like (SQL Server 2025)."
)
def main(
    files: tuple[Path, ...], project_dir: Path, profiles_dir: Path, allow: tuple[str, ...]
) -> None:
    # dbt's manifest and the trees of statements are many objects that live on: looking through them
    # for garbage as often as Python does by default takes a quarter of the time.
    gc.set_threshold(100_000, 50, 50)
    report = Report(project_dir)
    for recording in record(project_dir, profiles_dir, files):
        report.add(recording)
    accepted = tuple(f" {name.lower()}() is not a T-SQL function" for name in allow)
    found = {
        line: where
        for line, where in sorted(report.lines.items())
        if not any(name in line for name in accepted)
    }
    for line, where in found.items():
        click.echo(f"{line}\n    {where}")
    findings = "1 finding" if len(found) == 1 else f"{len(found)} findings"
    click.echo(f"{len(report.checked)} statements for SQL Server checked, {findings}.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
