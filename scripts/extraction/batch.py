"""One table, one batch: visible whole or not at all. Knows no engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from extraction.drift import Drift, plan_drift
from extraction.engine import (
    Batch,
    BatchResult,
    Column,
    Observer,
    Producer,
    Reader,
    Sink,
    Stream,
    Watermark,
    Window,
    Writer,
)
from extraction.errors import ExtractError
from extraction.spec import TableSpec

# How many keys of returned rows one query at the source names.
KEYS_PER_QUERY = 10_000


def load_table(
    spec: TableSpec,
    open_reader: Callable[[], Reader],
    writer: Writer,
    observer: Observer,
    *,
    run_id: str,
    since: str | None = None,
    full_refresh: bool = False,
) -> BatchResult:
    """Lands one batch of a table.

    Everything between `begin` and `commit` is unseen and is taken back by any failure, the death of
    this process included. The source is read in one snapshot, taken after the table's lock.
    Raises ExtractError; the batch is then recorded as failed.
    """
    started = time.monotonic()
    observer.step(spec, "lock")
    writer.lock(spec)
    observer.step(spec, "begin")
    batch = writer.begin(spec, run_id)
    result = BatchResult(spec, batch_id=batch.id)
    try:
        observer.step(spec, "open")
        reader = open_reader()
        try:
            window = _load(spec, reader, writer, observer, batch, result, since, full_refresh)
        finally:
            reader.close()
        observer.step(spec, "commit")
        result.status = "loaded"
        result.seconds = time.monotonic() - started
        writer.commit(batch, result, window)
    except Exception as error:
        writer.fail(batch, str(error))
        raise
    observer.step(spec, "done")
    return result


def plan_table(
    spec: TableSpec, reader: Reader, writer: Writer, since: str | None, full_refresh: bool
) -> tuple[Drift, Window, int]:
    """What `load_table` would do, and about how many rows it would read. Changes nothing."""
    columns = reader.columns(spec)
    drift = plan_drift(
        spec, columns, writer.landing_columns(spec), writer.widens, writer.repair_hint
    )
    window = _window(spec, reader, writer, columns, since, full_refresh)
    return drift, window, reader.estimate(spec, window.condition)


def _load(
    spec: TableSpec,
    reader: Reader,
    writer: Writer,
    observer: Observer,
    batch: Batch,
    result: BatchResult,
    since: str | None,
    full_refresh: bool,
) -> Window:
    if not set(reader.formats) & set(writer.formats):
        raise ExtractError(f"{spec.name}: no stream format that source and warehouse both know.")
    observer.step(spec, "inspect")
    columns, drift = _inspect(spec, reader, writer, result)
    window = _window(spec, reader, writer, columns, since, full_refresh)
    result.cursor_from, result.cursor_to = window.cursor_from, window.cursor_to
    if window.warning:
        result.warnings.append(window.warning)
    keys = [_landed(spec, drift, columns, name) for name in spec.primary_key]
    stream = _observed(spec, reader.stream(spec, drift.sent, window.condition), observer)
    observer.step(spec, "copy")
    if window.between is not None:
        writer.stage(spec, stream)
        columns, drift = _inspect(spec, reader, writer, result)
        _evolve(spec, writer, observer, drift)
        observer.step(spec, "compare")
        names = [key.name for key in keys]
        result.rows, result.deleted, result.restored = writer.append_changes(
            spec, _types(drift.sent), names, window.between, batch
        )
        return window
    if spec.mode == "full":
        result.rows, result.deleted = writer.replace(
            spec,
            drift.columns,
            [column.name for column in drift.sent],
            stream,
            batch,
            [key.name for key in keys] if spec.deletes == "soft" else [],
        )
        return window
    _evolve(spec, writer, observer, drift)
    result.rows = writer.append(spec, _types(drift.sent), stream, batch)
    if spec.deletes == "soft":
        observer.step(spec, "compare keys")
        _compare_keys(spec, reader, writer, drift, keys, batch, result)
    return window


def _inspect(
    spec: TableSpec, reader: Reader, writer: Writer, result: BatchResult
) -> tuple[list[Column], Drift]:
    columns = reader.columns(spec)
    drift = plan_drift(
        spec, columns, writer.landing_columns(spec), writer.widens, writer.repair_hint
    )
    result.changes = drift.changes
    return columns, drift


def _evolve(spec: TableSpec, writer: Writer, observer: Observer, drift: Drift) -> None:
    if drift.added or drift.widened:
        observer.step(spec, "evolve")
        writer.evolve(spec, drift.added, drift.widened)


def _window(
    spec: TableSpec,
    reader: Reader,
    writer: Writer,
    columns: Sequence[Column],
    since: str | None,
    full_refresh: bool,
) -> Window:
    if spec.mode == "full":
        return Window()
    watermark = Watermark() if full_refresh else writer.watermark(spec)
    return reader.window(spec, columns, watermark, since)


def _compare_keys(
    spec: TableSpec,
    reader: Reader,
    writer: Writer,
    drift: Drift,
    keys: Sequence[Column],
    batch: Batch,
    result: BatchResult,
) -> None:
    result.deleted, returned, late = writer.compare_keys(
        spec, _types(keys), reader.stream(spec, keys, None), batch
    )

    def fetch(wanted: Iterator[Sequence[str]]) -> int:
        rows = 0
        while some := list(islice(wanted, KEYS_PER_QUERY)):
            condition = reader.key_condition(keys, some)
            stream = reader.stream(spec, drift.sent, condition)
            rows += writer.append(spec, _types(drift.sent), stream, batch)
        return rows

    result.restored = fetch(returned)
    result.rows += fetch(late)


def _observed(spec: TableSpec, stream: Stream, observer: Observer) -> Stream:
    return lambda constants: _ObservedProducer(spec, stream(constants), observer)


@dataclass(frozen=True)
class _ObservedProducer:
    spec: TableSpec
    producer: Producer
    observer: Observer

    def __call__(self, sink: Sink) -> int:
        def counted(chunk: bytes, rows: int) -> None:
            sink(chunk, rows)
            self.observer.rows(self.spec, rows)

        return self.producer(counted)

    def cancel(self) -> None:
        self.producer.cancel()


def _landed(spec: TableSpec, drift: Drift, columns: Sequence[Column], source_name: str) -> Column:
    name = next(column.name for column in columns if column.source == source_name)
    for column in drift.sent:
        if column.name == name:
            return column
    raise ExtractError(
        f"{spec.name}: landing has no column {name} for its primary_key, and "
        "`schema_drift: ignore` leaves new columns out. Set `schema_drift: evolve` for one run."
    )


def _types(columns: Sequence[Column]) -> dict[str, str]:
    return {column.name: column.type for column in columns}
