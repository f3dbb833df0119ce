"""What a comparison of one model finds, and the shares that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import isclose, isfinite
from typing import Literal

from diffing.compared import Relation
from diffing.thresholds import Thresholds

Place = Literal["changed", "live", "next"]  # in both and not the same; only in one


@dataclass(frozen=True)
class NamedType:
    """A column and its type as the engine spells it."""

    column: str
    type: str


@dataclass(frozen=True)
class Retyped:
    column: str
    live: str
    next: str
    compared: bool  # whether values of the two types can be compared


@dataclass(frozen=True)
class Rows:
    """Rows by key. A key that comes n times in live and m times in next is min(n, m) rows in both.

    `uncompared` are those of the common rows whose key is null or comes more than once: nobody can
    say which row became which, so they are neither changed nor the same.
    """

    only_live: int
    only_next: int
    common: int
    changed: int
    uncompared: int = 0

    @property
    def compared(self) -> int:
        return self.common - self.uncompared


@dataclass(frozen=True)
class Match:
    """How many of the rows compared differ in a column."""

    column: str
    differing: int
    compared: int

    @property
    def pct(self) -> float | None:
        """0 to 100; None if no rows were compared."""
        return _share(self.compared - self.differing, self.compared)


@dataclass(frozen=True)
class Total:
    """The sum of a column; None of a relation without values."""

    column: str
    live: Decimal | None
    next: Decimal | None
    is_exact: bool = True  # False for floats, whose sum depends on the order of the rows

    @property
    def is_changed(self) -> bool:
        live, next_ = self.live or Decimal(0), self.next or Decimal(0)
        if live.is_nan() or next_.is_nan():
            return live.is_nan() != next_.is_nan()
        return live != next_ and (self.is_exact or not isclose(live, next_, rel_tol=1e-9))

    @property
    def change_pct(self) -> float | None:
        """By how much of live's total it differs, up or down; None if that is no number.

        From nothing to something is 100.
        """
        if not self.is_changed:
            return 0.0
        live, next_ = self.live or Decimal(0), self.next or Decimal(0)
        if not (live.is_finite() and next_.is_finite()):
            return None
        change = float(abs(next_ - live) / abs(live) * 100) if live else 100.0
        return change if isfinite(change) else None


@dataclass(frozen=True)
class Shared:
    """One value, or a few, that most of some rows have and the rest of the table does not.

    `values` are None unless asked for; a null is None among them.
    """

    place: Place
    column: str
    number_of_values: int
    rows_pct: float  # of the rows of this place
    table_pct: float  # of all rows of the relation that they come from: next's, or else live's
    values: tuple[str | None, ...] | None = None


@dataclass(frozen=True)
class Example:
    """A key of a row of this place, as text, in the order of the key's columns."""

    place: Place
    key: tuple[str, ...]


@dataclass(frozen=True)
class ModelDiff:
    """What differs between live and next.

    A model that is new or removed has only the number of rows of the relation that there is. One
    without a usable key has no `rows`, `matches`, `shared`, `examples`; `why_no_key` says why.
    """

    name: str
    status: Literal["new", "removed", "changed", "unchanged"]
    live: Relation | None
    next: Relation | None
    rows_live: int | None
    rows_next: int | None
    key: tuple[str, ...] = ()
    why_no_key: str | None = None
    added: tuple[NamedType, ...] = ()
    removed: tuple[NamedType, ...] = ()
    retyped: tuple[Retyped, ...] = ()
    rows: Rows | None = None
    matches: tuple[Match, ...] = ()
    totals: tuple[Total, ...] = ()
    shared: tuple[Shared, ...] = ()
    examples: tuple[Example, ...] = ()
    notes: tuple[str, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def by_key(self) -> bool:
        return self.rows is not None

    @property
    def removed_pct(self) -> float | None:
        """Of live's rows; without a key, at least as many as the table shrank by."""
        if self.rows_live is None or self.rows_next is None:
            return None
        lost = self.rows.only_live if self.rows else max(self.rows_live - self.rows_next, 0)
        return _share(lost, self.rows_live, of_nothing=0.0)

    @property
    def added_pct(self) -> float | None:
        """Of live's rows, so it may exceed 100; from no rows to any is 100."""
        if self.rows_live is None or self.rows_next is None:
            return None
        won = self.rows.only_next if self.rows else max(self.rows_next - self.rows_live, 0)
        return _share(won, self.rows_live, of_nothing=100.0 if won else 0.0)

    @property
    def changed_pct(self) -> float | None:
        """Of the rows compared; None if there are none."""
        return _share(self.rows.changed, self.rows.compared) if self.rows else None

    def is_settled(self, column: str) -> bool:
        """Whether it is right that there is nothing to compare: the column is new."""
        return column in {one.column for one in self.added}


def _share(part: int, whole: int, of_nothing: float | None = None) -> float | None:
    return 100 * part / whole if whole else of_nothing
