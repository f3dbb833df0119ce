"""The seam: what a source system and a warehouse must offer, whatever engine they are.

Rows never become Python objects, unless they come as such. A reader writes a stream in one of its
`formats`, a writer takes a stream in one of its own; the first that both know is used:

postgres binary   the wire format itself, between two servers of the same engine
copy text         a line per row, parted by tabs: COPY's text format
json lines        one document per row, keyed by landing's names, of texts, numbers and booleans;
                  the warehouse's own JSON functions type it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from extraction.key_digests import Interval, KeyDigests
from extraction.spec import TableSpec

BATCH_ID, LOADED_AT, DELETED_AT = "_batch_id", "_loaded_at", "_deleted_at"
METADATA = (LOADED_AT, BATCH_ID, DELETED_AT)


@dataclass(frozen=True)
class Column:
    """A column at the source, and how it lands.

    `type` is the landing type as the writer's engine names it; `expression` selects the column in
    that type, ready for the stream. `typed_by_warehouse`: the stream holds text, of which the
    writer's engine makes the type.
    """

    source: str
    name: str
    type: str
    expression: str
    source_type: str
    nullable: bool = True
    typed_by_warehouse: bool = False


@dataclass(frozen=True)
class Window:
    """Which rows a batch reads.

    `condition` is the reader's own SQL, None for all rows. `cursor_from` and `cursor_to` are the
    watermarks before and after. `overlap` identifies the content of the next batch's lookback:
    while it is the same, nothing in there changed and it need not be read again.

    `between`, where a source can't tell what changed: the batch reads all there is between these
    two cursor values, both included, and the writer finds out what is new in there.

    `keys`, with soft deletes: the digests of all keys that the source had, which landing has too;
    in mode compare, those of all its rows.
    `keys_may_be_gone` is False if the source knows that no row was deleted since the last batch.
    """

    condition: str | None = None
    cursor_from: str | None = None
    cursor_to: str | None = None
    overlap: str | None = None
    warning: str | None = None
    between: tuple[str, str] | None = None
    keys: KeyDigests | None = None
    keys_may_be_gone: bool = True


@dataclass(frozen=True)
class Watermark:
    """Where the last batch of a table stopped."""

    cursor_to: str | None = None
    overlap: str | None = None
    keys: KeyDigests | None = None


@dataclass(frozen=True)
class Batch:
    """A batch that is being loaded; `loaded_at` is the warehouse's time, in UTC."""

    id: int
    loaded_at: datetime


@dataclass
class BatchResult:
    """What became of one table in one run; times in seconds."""

    spec: TableSpec
    status: str = "running"
    batch_id: int | None = None
    rows: int = 0
    deleted: int = 0
    restored: int = 0
    seconds: float = 0.0
    cursor_from: str | None = None
    cursor_to: str | None = None
    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None


class Observer(Protocol):
    """Hears how a batch goes: the progress bar, the log, and tests that pull the plug."""

    def step(self, spec: TableSpec, step: str) -> None:
        """A batch is about to do `step`."""

    def rows(self, spec: TableSpec, rows: int) -> None:
        """About so many more rows were sent."""


class Sink(Protocol):
    """Where a reader writes its stream; `rows` is about how many these bytes hold."""

    def __call__(self, chunk: bytes, rows: int) -> None: ...


class Producer(Protocol):
    """A query at the source, ready to be streamed by the writer in a thread of its own."""

    @property
    def format(self) -> str:
        """The format of the stream, one of the reader's."""

    def __call__(self, sink: Sink) -> int:
        """Streams to the sink and returns the number of rows; once only."""

    def cancel(self) -> None:
        """Makes a running call end soon; from another thread."""


# Makes a producer whose rows also carry these constants: landing name -> (value, landing type).
Stream = Callable[[Mapping[str, tuple[object, str]]], Producer]


class Reader(Protocol):
    """One connection to a source system, in one snapshot of it from open to close, if it can."""

    formats: Sequence[str]

    @property
    def warnings(self) -> Sequence[str]:
        """What whoever looks at a batch should know of how it was read; known once it was."""

    def columns(self, spec: TableSpec) -> list[Column]:
        """The table's columns; raises ExtractError if there is no such table.

        Of documents, whose fields only reading shows, more may be known after a stream.
        """

    def window(
        self, spec: TableSpec, columns: Sequence[Column], watermark: Watermark, since: str | None
    ) -> Window:
        """The rows that a cursor batch must read."""

    def estimate(self, spec: TableSpec, condition: str | None) -> int:
        """About how many rows the condition selects, without reading them."""

    def key_condition(self, keys: Sequence[Column], values: Sequence[Sequence[str]]) -> str:
        """The condition that selects the rows with these keys, given as text."""

    def key_digests(
        self,
        spec: TableSpec,
        keys: Sequence[Column],
        like: KeyDigests | None = None,
        condition: str | None = None,
        rows: Sequence[Column] = (),
    ) -> KeyDigests | None:
        """The digests of the keys of these rows (all for None), in the ranges of `like`.

        With `rows`, the digests of the values in these columns, still by range of the keys.
        Those of all rows are in wider ones if the keys have outgrown these. None if the engine has
        no good hash for them, or if a key is null: then keys or rows are compared in full.
        """

    def within(self, keys: Sequence[Column], intervals: Sequence[Interval]) -> str:
        """The condition for rows whose first key is in one of the intervals."""

    def stream(self, spec: TableSpec, columns: Sequence[Column], condition: str | None) -> Stream:
        """The rows of the table that meet the condition (all for None), in the columns' order."""

    def close(self) -> None: ...


class Writer(Protocol):
    """One connection to the warehouse, working for one table at a time."""

    formats: Sequence[str]

    def check_environment(self, target: str) -> None:
        """Raises ExtractError if the warehouse is another environment than the target's."""

    def abandon_killed(self) -> None:
        """Marks as abandoned what is recorded as running and nobody loads, of any table."""

    def lock(self, spec: TableSpec) -> None:
        """Waits until no other run loads this table, and keeps others out until `close`."""

    def watermark(self, spec: TableSpec) -> Watermark:
        """Where the last loaded batch stopped."""

    def landing_columns(self, spec: TableSpec) -> dict[str, str]:
        """Names and types of the landing table without metadata; empty if there is none."""

    def is_over(self, name: str) -> str | None:
        """The limit that is below this name's length ("63 bytes"); None for a name that fits."""

    def widens(self, old: str, new: str) -> bool:
        """Whether every value of the landing type `old` fits the landing type `new`."""

    def repair_hint(self, spec: TableSpec, column: str, type_: str) -> str:
        """What somebody can type to give a landing column another type."""

    def begin(self, spec: TableSpec, run_id: str) -> Batch:
        """Records a batch as running."""

    def evolve(self, spec: TableSpec, added: Mapping[str, str], widened: Mapping[str, str]) -> None:
        """Adds and widens columns of the landing table, if there is one."""

    def append(
        self, spec: TableSpec, columns: Mapping[str, str], stream: Stream, batch: Batch
    ) -> int:
        """Adds rows to the landing table (made if missing), unseen until `commit`."""

    def append_differing(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        stream: Stream,
        within: Sequence[Interval] | None,
        batch: Batch,
    ) -> tuple[int, int, int]:
        """Adds the rows that differ from the newest row of their key, in a table that has landed.

        They are all there is at the source, or all whose first key is `within` some intervals.
        Deletes and what is returned are as in `append_changes`.
        """

    def stage(self, spec: TableSpec, stream: Stream) -> None:
        """Takes documents (`json lines`) into a place of their own, for `append_changes`."""

    def append_changes(
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        keys: Sequence[str],
        between: tuple[str, str],
        batch: Batch,
    ) -> tuple[int, int, int]:
        """Adds the staged documents that differ from the newest row of their key.

        They are all there is at the source between two values of the cursor: with soft deletes, a
        flagged copy of each row in between whose key is gone lands, too. Returns the rows that
        landed, those newly flagged, and those that are back after they had been flagged.
        """

    def replace(  # what lands is `sent`, a part of `columns`
        self,
        spec: TableSpec,
        columns: Mapping[str, str],
        sent: Sequence[str],
        stream: Stream,
        batch: Batch,
        keep_deleted: Sequence[str],
    ) -> tuple[int, int]:
        """Puts rows in the place of the landing table, unseen until `commit`.

        Rows whose key (`keep_deleted`, if given) is gone from the source stay, flagged as deleted.
        If landing holds the same rows already it stays as it is, so nothing is built on it anew.
        Returns the rows that landed and the rows newly flagged, or gone with all others.
        """

    def new_keys(
        self, spec: TableSpec, keys: Sequence[str], batch: Batch
    ) -> Iterator[tuple[str, ...]]:
        """The keys (as text) that this batch appended and landing did not have before."""

    def compare_keys(
        self,
        spec: TableSpec,
        keys: Mapping[str, str],
        stream: Stream,
        batch: Batch,
        within: Sequence[Interval] | None,
    ) -> tuple[int, Iterator[tuple[str, ...]], Iterator[tuple[str, ...]]]:
        """Given the keys at the source, lands a flagged copy of each row whose key is gone.

        All keys, or those `within` intervals of the first one.

        Returns how many, the keys (as text) that are back after they had been flagged, and the
        keys that never landed.
        """

    def commit(self, batch: Batch, result: BatchResult, window: Window) -> None:
        """Makes the batch visible and records it as loaded, in one transaction."""

    def fail(self, batch: Batch, error: str) -> None:
        """Takes the batch back and records why."""

    def close(self) -> None: ...
