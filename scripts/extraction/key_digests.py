"""Which keys of a table may have come or gone, or which rows changed, told without moving them.

The source digests its keys, or in mode compare its rows, by range of the first key: their number
and the sum of their hashes. Both are sums, so what a range of keys was before, plus the keys that
landed for the first time since, is what it is now, unless a key is gone, came back, or came without
landing. Only ranges that differ are compared.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

# A range that differs is compared as a whole; many ranges are much to remember.
MOST_RANGES = 1024
Interval = tuple[int, int]  # of the first key: from, and up to but not including


@dataclass(frozen=True)
class KeyDigests:
    """Of the columns `names`: by range of the first, 2**`bits` wide, number and sum of hashes.

    `bits` is None where the first key is no integer: then all keys are in range 0.
    """

    names: Sequence[str]
    bits: int | None
    ranges: Mapping[int, tuple[int, int]]

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.ranges.values())

    def dumps(self) -> str:
        ranges = {number: list(digest) for number, digest in self.ranges.items()}
        return json.dumps([list(self.names), self.bits, ranges], separators=(",", ":"))

    @classmethod
    def loads(cls, text: str) -> KeyDigests:
        names, bits, ranges = json.loads(text)
        return cls(names, bits, {int(number): (n, sum_) for number, (n, sum_) in ranges.items()})

    def widened(self, bits: int | None) -> KeyDigests:
        """The same in wider ranges, which are sums of these; as it is if they would not be."""
        if self.bits is None or bits is None or bits <= self.bits:
            return self
        ranges: dict[int, tuple[int, int]] = {}
        for number, (count, sum_) in self.ranges.items():
            wide = number >> (bits - self.bits)
            counted, summed = ranges.get(wide, (0, 0))
            ranges[wide] = (counted + count, summed + sum_)
        return replace(self, bits=bits, ranges=ranges)

    def few(self) -> KeyDigests:
        """The same in ranges so wide that there are few of them."""
        fewer = self
        while fewer.bits is not None and len(fewer.ranges) > MOST_RANGES:
            fewer = fewer.widened(fewer.bits + 1)
        return fewer

    def is_like(self, other: KeyDigests) -> bool:
        """Whether both are of the same keys, in the same ranges."""
        return list(self.names) == list(other.names) and self.bits == other.bits

    def differing(self, before: KeyDigests, added: Iterable[KeyDigests]) -> list[Interval] | None:
        """The intervals in which this is not `before` plus `added`; None for all keys."""
        expected: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for digests in (before, *added):
            for number, (count, sum_) in digests.ranges.items():
                expected[number] = (expected[number][0] + count, expected[number][1] + sum_)
        numbers = sorted(
            number
            for number in {*self.ranges, *expected}
            if self.ranges.get(number, (0, 0)) != expected[number]
        )
        if self.bits is None:
            return None if numbers else []
        return consecutive(numbers, self.bits)


def digests_of_all(
    read: Callable[[int], KeyDigests | None],
    like: KeyDigests | None,
    bounds: Callable[[], tuple[int | None, int | None]],
) -> KeyDigests | None:
    """The digests of a whole table by its integer key, in ranges that are neither few nor many.

    `read` asks the source for those in ranges of so many bits, `bounds` for the lowest and the
    highest key. Ranges are as wide as last time (`like`), or wider if the table has grown.
    """
    bits = like.bits if like else None
    if bits is None:
        low, high = bounds()
        bits = bits_for(low or 0, high or 0)
    found = read(bits)
    # One key far from all others makes ranges so wide that most keys are in the same.
    while found and bits and found.rows > MOST_RANGES > 8 * len(found.ranges):
        bits = max(0, bits - (MOST_RANGES // len(found.ranges)).bit_length() + 1)
        found = read(bits)
    return found and found.few()


def bits_for(low: int, high: int) -> int:
    """How wide ranges must be for at most MOST_RANGES of them from low to high, as a power of 2."""
    return max(0, (high - low) // MOST_RANGES).bit_length()


def consecutive(numbers: Iterable[int], bits: int = 0) -> list[Interval]:
    """The intervals that ascending numbers of ranges cover, of 2**bits each: of keys, for 0."""
    found: list[Interval] = []
    for number in numbers:
        low, high = number << bits, (number + 1) << bits
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def condition(column: str, intervals: Sequence[Interval]) -> str:
    """The condition for rows whose first key, already quoted, is in one of the intervals."""
    within = (f"{column} >= {low} and {column} < {high}" for low, high in intervals)
    return " or ".join(f"({one})" for one in within)
