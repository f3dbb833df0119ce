"""Reads an item API: ids from the first to the newest, one request each."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

from extraction.engine import Column, Producer, Sink, Stream, Watermark, Window
from extraction.errors import ExtractError
from extraction.http.client import JsonClient
from extraction.http.settings import JSON_TYPES, HttpSettings
from extraction.key_digests import Interval, KeyDigests
from extraction.spec import TableSpec

FORMATS: Sequence[str] = ("json lines",)
CHUNK_BYTES = 64 * 1024
# Requests that are under way or wait for their turn, per connection.
AHEAD = 4
# How many ids next to one that is null are tried for one that is not.
NEIGHBOURS = 100

# `\\u0000` in JSON, unless the backslash is itself escaped.
_ZERO = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

Item = dict[str, Any]


class HttpReader:
    """A `Reader` for an item API.

    The API gives no snapshot: each item is as it is when it is read. Only reading shows which
    fields there are, so `columns` knows more after a stream than before it.
    """

    formats = FORMATS
    warnings: Sequence[str] = ()

    def __init__(
        self,
        spec: TableSpec,
        settings: HttpSettings,
        url: str,
        landing_types: Mapping[str, str],
        wait: float,
    ) -> None:
        """`landing_types` says how each `data_type` lands; waits so long for the API to start."""
        self._settings = settings
        self._types = landing_types
        self._name = f"source {spec.source} ({spec.connection})"
        self._path = spec.from_[-1]
        self._fields: dict[str, str] = {}  # landing name -> the API's, of fields nobody declared
        self._client = JsonClient(self._name, url, settings)
        self._newest = self._ask_newest(wait)

    def columns(self, spec: TableSpec) -> list[Column]:
        sources = {landing: source for source, landing in spec.rename.items()}
        found = [
            _column(sources.get(name, name), name, self._types[type_])
            for name, type_ in spec.columns.items()
        ]
        text = self._types["string"]
        return found + [_column(field, name, text) for name, field in sorted(self._fields.items())]

    def window(
        self, spec: TableSpec, columns: Sequence[Column], watermark: Watermark, since: str | None
    ) -> Window:
        low = None if watermark.cursor_to is None else int(watermark.cursor_to)
        warning = None
        if low is not None and low > self._newest:
            warning = (
                f"the newest id at the source, {self._newest}, is below the last batch's, {low}: "
                "check the URL; if the API began anew, use --full-refresh"
            )
        if low is None:
            start = self._newest - self._settings.first_load + 1
        else:
            young = self._first_young(min(low, self._newest))
            start = min(low + 1 - int(spec.lookback or 0), young)
        if since is not None:  # reads more than the watermark asks for, never less
            start = _id(since) if low is None else min(start, _id(since))
        start = max(start, 1)
        # The newest ids may be given out before their items can be read.
        newest_item = self._item_near(self._newest)
        to = low
        if newest_item is not None and not warning:
            to = max(low or 0, newest_item["id"])
        return Window(
            condition=f"{start}-{self._newest}",
            cursor_from=since if since is not None else watermark.cursor_to,
            cursor_to=None if to is None else str(to),
            warning=warning,
            between=(str(start), str(self._newest)),
        )

    def estimate(self, spec: TableSpec, condition: str | None) -> int:
        start, end = self._range(condition)
        return max(0, end - start + 1)

    def key_condition(self, keys: Sequence[Column], values: Sequence[Sequence[str]]) -> str:
        raise NotImplementedError("the items of an API are selected by their range")

    def key_digests(
        self,
        spec: TableSpec,
        keys: Sequence[Column],
        like: KeyDigests | None = None,
        condition: str | None = None,
        rows: Sequence[Column] = (),
    ) -> None:
        return None

    def within(self, keys: Sequence[Column], intervals: Sequence[Interval]) -> str:
        raise NotImplementedError("the items of an API are selected by their range")

    def stream(self, spec: TableSpec, columns: Sequence[Column], condition: str | None) -> Stream:
        start, end = self._range(condition)

        def make(constants: Mapping[str, tuple[object, str]]) -> Producer:
            return _Items(self, spec, start, end)

        return make

    def close(self) -> None:
        self._client.close()

    def items(self, start: int, end: int) -> Iterator[Item]:
        """The items that exist, in the order of their ids; fetched concurrently, ahead of use."""
        ids = iter(range(start, end + 1))
        pool = ThreadPoolExecutor(self._settings.concurrency, thread_name_prefix="http")
        waiting: deque[Future[Item | None]] = deque()
        try:
            for id_ in islice(ids, self._settings.concurrency * AHEAD):
                waiting.append(pool.submit(self._item, id_))
            while waiting:
                item = waiting.popleft().result()
                for id_ in islice(ids, 1):
                    waiting.append(pool.submit(self._item, id_))
                if item is not None:
                    yield item
        except BaseException:
            self._client.stop()  # whoever waits for another try would hold up the end
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def document(self, spec: TableSpec, item: Item) -> Item:
        """An item as it lands: by landing's names, each value of the declared type."""
        document: Item = {}
        for field, value in item.items():
            name = spec.lands_as(field)
            if field in spec.exclude or value is None:
                continue
            type_ = spec.columns.get(name)
            if type_ is None:
                self._fields[name] = field
            elif not _is(value, type_):
                raise ExtractError(
                    f"{self._name}: {self._path_of(item['id'])}: {field} is no "
                    f"{type_}, as the YAML declares it. Mend its `data_type`. Nothing of this "
                    f"batch has landed. DETAIL: {json.dumps(value)[:60]}"
                )
            is_nested = isinstance(value, list | dict)
            document[name] = _json(value) if is_nested else value  # always a text in landing
        return document

    def stop(self) -> None:
        self._client.stop()

    def _path_of(self, id_: int) -> str:
        return f"{self._path}/{id_}.json"

    def _item(self, id_: int) -> Item | None:
        path = self._path_of(id_)
        item = self._client.get(path)
        if item is None:
            return None
        if not isinstance(item, dict) or item.get("id") != id_:
            raise ExtractError(
                f"{self._name}: {path}: the answer is not the item {id_}. "
                f"DETAIL: {json.dumps(item)[:60]}"
            )
        return item

    def _ask_newest(self, wait: float) -> int:
        path = f"max{self._path}.json"
        newest = self._client.get(path, patience=wait)
        if not isinstance(newest, int) or isinstance(newest, bool):
            raise ExtractError(
                f"{self._name}: {path}: the answer is not an id. DETAIL: {json.dumps(newest)[:60]}"
            )
        return newest

    def _item_near(self, id_: int) -> Item | None:
        """The item with this id, or the next one below that is not null."""
        for candidate in range(id_, max(0, id_ - NEIGHBOURS), -1):
            if item := self._item(candidate):
                return item
        return None

    def _first_young(self, watermark: int) -> int:
        """The first id that was younger than `reread` when the watermark's item was new.

        Ids grow with time, so a few requests find it: steps back, each twice as wide, then halves.
        """
        if not self._settings.reread:
            return watermark + 1
        newest = self._item_near(watermark)
        if newest is None:
            return watermark + 1
        oldest = self._created(newest) - self._settings.reread
        low, high, step = watermark, watermark, 64
        while low > 1 and self._is_young(low, oldest):
            low, high, step = max(1, low - step), low, step * 2
        while low < high:
            middle = (low + high) // 2
            if self._is_young(middle, oldest):
                high = middle
            else:
                low = middle + 1
        return low

    def _is_young(self, id_: int, oldest: int) -> bool:
        item = self._item_near(id_)
        return item is not None and self._created(item) >= oldest

    def _created(self, item: Item) -> int:
        field = self._settings.created_field or ""
        value = item.get(field)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ExtractError(
                f"{self._name}: {self._path_of(item['id'])}: `created_field: {field}` is not a "
                f"time in Unix seconds there. DETAIL: {json.dumps(value)[:60]}"
            )
        return value

    def _range(self, condition: str | None) -> tuple[int, int]:
        if condition is None:
            return 1, self._newest
        start, _, end = condition.partition("-")
        return int(start), int(end)


class _Items:
    """A `Producer`: one JSON document per line."""

    format = FORMATS[0]

    def __init__(self, reader: HttpReader, spec: TableSpec, start: int, end: int) -> None:
        self._reader, self._spec = reader, spec
        self._start, self._end = start, end

    def __call__(self, sink: Sink) -> int:
        chunk, rows, sent = b"", 0, 0
        for item in self._reader.items(self._start, self._end):
            document = self._reader.document(self._spec, item)
            chunk, rows = chunk + _line(document), rows + 1
            if len(chunk) >= CHUNK_BYTES:
                sink(chunk, rows)
                chunk, rows, sent = b"", 0, sent + rows
        if chunk:
            sink(chunk, rows)
        return sent + rows

    def cancel(self) -> None:
        self._reader.stop()


def _line(document: Item) -> bytes:
    return _json(document).encode(errors="replace") + b"\n"


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # No database takes the character zero in a text, nor half of a surrogate pair, which the
    # encoding replaces.
    return _ZERO.sub("\\1\N{REPLACEMENT CHARACTER}", text)


def _is(value: object, type_: str) -> bool:
    return isinstance(value, JSON_TYPES[type_]) and (
        type_ in {"string", "boolean"} or not isinstance(value, bool)
    )


def _column(source: str, name: str, type_: str) -> Column:
    return Column(source, name, type_, name, type_, typed_by_warehouse=True)


def _id(since: str) -> int:
    if not since.isdigit():
        raise ExtractError(f"--since {since}: an item API is read from an id on, a whole number.")
    return int(since)
