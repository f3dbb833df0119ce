"""One table, one batch: visible whole or not at all. Knows no engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from extraction.key_digests import Interval, KeyDigests, consecutive
from extraction.spec import TableSpec

# How many keys of returned rows one query at the source names.
KEYS_PER_QUERY = 10_000
# And how many ranges of such keys, which cost less as long as they are few.
MOST_INTERVALS = 200


def load_table(
    spec: TableSpec,
    open_reader: Callable[[], Reader],
    writer: Writer,
    observer: Observer,
    *,
    run_id: str,
    recorded: Callable[[Exception], str],
    since: str | None = None,
    full_refresh: bool = False,
) -> BatchResult:
    """Lands one batch of a table.

    Everything between `begin` and `commit` is unseen and is taken back by any failure, the death of
    this process included. The source is read in one snapshot, taken after the table's lock.
    Raises ExtractError; the batch is then recorded as failed, with what `recorded` says of it.
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
            result.warnings.extend(reader.warnings)
        finally:
            reader.close()
        observer.step(spec, "commit")
        result.status = "loaded"
        result.seconds = time.monotonic() - started
        writer.commit(batch, result, window)
    except Exception as error:
        writer.fail(batch, recorded(error))
        raise
    observer.step(spec, "done")
    return result


def plan_table(
    spec: TableSpec, reader: Reader, writer: Writer, since: str | None, full_refresh: bool
) -> tuple[Drift, Window, int]:
    """What `load_table` would do, and about how many rows it would read. Changes nothing."""
    columns = reader.columns(spec)
    drift = plan_drift(spec, columns, writer.landing_columns(spec), writer)
    watermark = _watermark(spec, writer, full_refresh)
    window = _window(spec, reader, columns, watermark, since)
    if spec.mode == "compare":
        keys = [_landed(spec, drift, columns, name) for name in spec.primary_key]
        _, changed = _changed(spec, reader, drift, keys, watermark)
        if changed == []:
            return drift, window, 0
        window = replace(window, condition=_within(reader, keys, changed))
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
    watermark = _watermark(spec, writer, full_refresh)
    window = _window(spec, reader, columns, watermark, since)
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
    if spec.mode == "compare":
        digests = _load_differing(
            *(spec, reader, writer, observer, drift, keys, watermark, batch, result)
        )
        return replace(window, keys=digests)
    # Before rows are read, as in `_load_differing`.
    finds_gone = spec.deletes == "soft" and window.keys_may_be_gone
    is_first = not writer.landing_columns(spec)
    if finds_gone:
        window = replace(window, keys=reader.key_digests(spec, keys, watermark.keys))
    result.rows = writer.append(spec, _types(drift.sent), stream, batch)
    if finds_gone:
        observer.step(spec, "compare keys")
        suspicious: list[Interval] | None = None
        if window.keys and is_first and window.condition is None:
            return window  # what has landed is all there is
        if window.keys and watermark.keys:
            before = watermark.keys.widened(window.keys.bits)
            if window.keys.is_like(before):
                suspicious = _suspicious(spec, reader, writer, keys, batch, window.keys, before)
        if suspicious != []:
            _compare_keys(spec, reader, writer, drift, keys, batch, result, suspicious)
    return window


def _load_differing(
    spec: TableSpec,
    reader: Reader,
    writer: Writer,
    observer: Observer,
    drift: Drift,
    keys: Sequence[Column],
    watermark: Watermark,
    batch: Batch,
    result: BatchResult,
) -> KeyDigests | None:
    """Lands the rows that differ from landing's, all of them at first. Returns what it found.

    Digests come before rows: what changes in between, where the source has no snapshots, is then
    found by the next batch, and not taken for what has landed.
    """
    observer.step(spec, "compare")
    digests, changed = _changed(spec, reader, drift, keys, watermark)
    if not writer.landing_columns(spec):
        stream = _observed(spec, reader.stream(spec, drift.sent, None), observer)
        result.rows = writer.append(spec, _types(drift.sent), stream, batch)
    elif changed != []:
        some = reader.stream(spec, drift.sent, _within(reader, keys, changed))
        result.rows, result.deleted, result.restored = writer.append_differing(
            *(spec, _types(drift.sent), [key.name for key in keys]),
            *(_observed(spec, some, observer), changed, batch),
        )
    return digests


def _inspect(
    spec: TableSpec, reader: Reader, writer: Writer, result: BatchResult
) -> tuple[list[Column], Drift]:
    columns = reader.columns(spec)
    drift = plan_drift(spec, columns, writer.landing_columns(spec), writer)
    result.changes = drift.changes
    return columns, drift


def _evolve(spec: TableSpec, writer: Writer, observer: Observer, drift: Drift) -> None:
    if drift.added or drift.widened:
        observer.step(spec, "evolve")
        writer.evolve(spec, drift.added, drift.widened)


def _watermark(spec: TableSpec, writer: Writer, full_refresh: bool) -> Watermark:
    return Watermark() if full_refresh or spec.mode == "full" else writer.watermark(spec)


def _window(
    spec: TableSpec,
    reader: Reader,
    columns: Sequence[Column],
    watermark: Watermark,
    since: str | None,
) -> Window:
    if spec.mode != "cursor":
        return Window()
    return reader.window(spec, columns, watermark, since)


def _changed(
    spec: TableSpec, reader: Reader, drift: Drift, keys: Sequence[Column], watermark: Watermark
) -> tuple[KeyDigests | None, list[Interval] | None]:
    """The digests of all rows, and where these differ from the last ones; None for anywhere."""
    now = reader.key_digests(spec, keys, watermark.keys, rows=drift.sent)
    if now and watermark.keys:
        before = watermark.keys.widened(now.bits)
        if now.is_like(before):
            return now, now.differing(before, [])
    return now, None


def _within(
    reader: Reader, keys: Sequence[Column], intervals: Sequence[Interval] | None
) -> str | None:
    return None if intervals is None else reader.within(keys, intervals)


def _suspicious(
    spec: TableSpec,
    reader: Reader,
    writer: Writer,
    keys: Sequence[Column],
    batch: Batch,
    now: KeyDigests,
    before: KeyDigests,
) -> list[Interval] | None:
    """Where keys at the source may differ from those in landing; None for all, [] for nowhere."""
    if now.ranges == before.ranges:
        return []
    new = writer.new_keys(spec, [key.name for key in keys], batch)
    added = [
        reader.key_digests(spec, keys, before, _condition(reader, keys, some, before))
        for some in _chunks(new)
    ]
    return now.differing(before, [digests for digests in added if digests])


def _compare_keys(
    spec: TableSpec,
    reader: Reader,
    writer: Writer,
    drift: Drift,
    keys: Sequence[Column],
    batch: Batch,
    result: BatchResult,
    intervals: Sequence[Interval] | None,
) -> None:
    stream = reader.stream(spec, keys, _within(reader, keys, intervals))
    result.deleted, returned, late = writer.compare_keys(
        spec, _types(keys), stream, batch, intervals
    )

    def fetch(wanted: Iterator[Sequence[str]]) -> int:
        rows = 0
        for some in _chunks(wanted):
            condition = reader.key_condition(keys, some)
            stream = reader.stream(spec, drift.sent, condition)
            rows += writer.append(spec, _types(drift.sent), stream, batch)
        return rows

    result.restored = fetch(returned)
    result.rows += fetch(late)


def _condition(
    reader: Reader, keys: Sequence[Column], some: Sequence[Sequence[str]], like: KeyDigests
) -> str:
    """Selects the rows with these keys: by range, if they are numbers that follow each other."""
    if like.bits is not None and len(keys) == 1:
        intervals = consecutive(sorted(int(key) for (key,) in some))
        if len(intervals) <= MOST_INTERVALS:
            return reader.within(keys, intervals)
    return reader.key_condition(keys, some)


def _chunks(keys: Iterator[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    while some := list(islice(keys, KEYS_PER_QUERY)):
        yield some


def _observed(spec: TableSpec, stream: Stream, observer: Observer) -> Stream:
    return lambda constants: _ObservedProducer(spec, stream(constants), observer)


@dataclass(frozen=True)
class _ObservedProducer:
    spec: TableSpec
    producer: Producer
    observer: Observer

    @property
    def format(self) -> str:
        return self.producer.format

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
