"""How a run is shown: bars on a terminal, a line for each table elsewhere."""

from __future__ import annotations

import time
from contextlib import suppress
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text
from typing_extensions import Self

from extraction.engine import BatchResult
from extraction.spec import TableSpec


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        seconds = task.finished_time or task.elapsed
        rate = task.completed / seconds if seconds else 0
        return Text(f"{task.completed:>12,.0f} rows {rate:>10,.0f} rows/s", style="cyan")


class ProgressView:
    """An `Observer` that prints to standard error, so that standard output stays for `--json`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._tasks: dict[str, object] = {}
        self._bars = Progress(
            TextColumn("{task.fields[mark]} {task.description:<34}"),
            BarColumn(bar_width=16),
            _Rate(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def step(self, spec: TableSpec, step: str) -> None:
        if self._console.is_terminal and spec.name not in self._tasks:
            self._tasks[spec.name] = self._bars.add_task(spec.name, total=None, mark="·")

    def rows(self, spec: TableSpec, rows: int) -> None:
        with suppress(KeyError):
            self._bars.advance(self._tasks[spec.name], rows)  # type: ignore[arg-type]

    def done(self, result: BatchResult) -> None:
        """Says what became of a table."""
        name = result.spec.name
        if self._console.is_terminal:
            with suppress(KeyError):
                mark = "✓" if result.status == "loaded" else "✗"
                rows = max(result.rows, 1)
                self._bars.update(
                    self._tasks[name],  # type: ignore[arg-type]
                    total=rows,
                    completed=result.rows or rows,
                    mark=mark,
                )
        else:
            self._print(line(result))
        for warning in result.warnings:
            self._print(f"WARNING {name}: {warning}")
        for change in result.changes:
            self._print(f"CHANGED {name}: {change}")
        if result.error:
            self._print(f"FAILED  {result.error}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def line(result: BatchResult) -> str:
    """One table of a run in one line."""
    if result.error:
        return f"{result.spec.name:<34} {result.spec.mode:<7} failed"
    rate = result.rows / result.seconds if result.seconds else 0
    text = f"{result.spec.name:<34} {result.spec.mode:<7}{result.rows:>12,} rows"
    text += f" {result.seconds:>7.2f} s {rate:>10,.0f} rows/s"
    if result.deleted:
        text += f"  {result.deleted:,} deleted"
    if result.restored:
        text += f"  {result.restored:,} back"
    return text
