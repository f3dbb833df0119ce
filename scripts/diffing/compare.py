"""The comparison of one model: a few statements, each of which reads a relation once.

1. The number of rows, the totals and, on Postgres, a fingerprint of each relation. Relations of one
   fingerprint hold the same rows: done.
2. If no index guarantees that the key is unique: which keys are not. Such rows are counted, but not
   joined, so they multiply nothing.
3. A full join by key. Only the rows that differ are stored, in a temporary table; what follows
   reads those, and one more scan asks how common the values that they share are in the whole table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

from diffing import statements
from diffing.compared import Compared, Relation
from diffing.engine import Cursor, Engine, engine_of
from diffing.model_diff import (
    Example,
    Match,
    ModelDiff,
    NamedType,
    Place,
    Retyped,
    Rows,
    Shared,
    Total,
)
from diffing.relation import Table
from diffing.statements import Pair, Sides

# What counts as shared: so few values cover so much of the rows, and far less of the table.
MOST_VALUES = 3
COVERED_PCT = 90.0
TIMES_THE_TABLE = 2.0
# Fewer rows than this for each value have things in common by chance.
ROWS_PER_VALUE = 5
# Beyond this share of the table, a group of rows is the table.
LARGEST_PCT = 50.0
SHARED_COLUMNS = 4  # told of each place
EXAMPLES = 5  # keys of each place
_IDENTIFIERS = ("_id", "_key")


class CompareError(RuntimeError):
    """The two relations can't be compared; the message says why and what to do."""


def compare(connection: Any, compared: Compared, *, values: bool = False) -> ModelDiff:  # noqa: ANN401
    """Compares a model's relations in live and next, in the database.

    `connection` commits each statement. `values` adds the values that rows share, and a few keys;
    nothing of a personal column. Raises CompareError, and what the engine raises.
    """
    if not connection.autocommit:
        raise CompareError("the diff needs a connection that commits each statement (autocommit).")
    engine = engine_of(connection)
    with closing(connection.cursor()) as cursor, engine.session(cursor):
        live, next_ = (
            engine.inspect(cursor, relation) if relation else None
            for relation in (compared.live, compared.next)
        )
        if live is not None and next_ is not None:
            return _Comparison(engine, cursor, compared, live, next_, values=values).run()
        if live is None and next_ is None:
            raise CompareError(
                f"{compared.name} is neither in live nor in next: build it, or leave it out."
            )
        is_new = live is None
        relation = cast(Relation, compared.next if is_new else compared.live)
        cursor.execute(f"select {engine.count} from {engine.quote(*relation)}")
        rows = int(cursor.fetchone()[0])
        return ModelDiff(
            name=compared.name,
            status="new" if is_new else "removed",
            live=None if is_new else relation,
            next=relation if is_new else None,
            rows_live=None if is_new else rows,
            rows_next=rows if is_new else None,
            thresholds=compared.thresholds,
        )


@dataclass
class _Comparison:
    engine: Engine
    cursor: Cursor
    compared: Compared
    live: Table
    next: Table
    values: bool

    def run(self) -> ModelDiff:
        common = [
            (column, other)
            for column in self.live.columns
            for other in self.next.columns
            if column.name == other.name
        ]
        key, why_no_key = self._key()
        comparable = [pair for pair in common if pair[0].family == pair[1].family]
        sides = Sides(
            engine=self.engine,
            live=cast(Relation, self.compared.live),
            next=cast(Relation, self.compared.next),
            key=tuple(key),
            columns=tuple(pair for pair in comparable if pair not in key),
        )
        measures = [pair for pair in sides.columns if self._is_measure(pair)]
        rows_live, rows_next, same, totals = self._totals(sides, measures)
        diff = ModelDiff(
            name=self.compared.name,
            status="unchanged",
            live=self.compared.live,
            next=self.compared.next,
            rows_live=rows_live,
            rows_next=rows_next,
            key=tuple(pair[1].name for pair in key),
            why_no_key=why_no_key,
            added=_missing(self.next, self.live),
            removed=_missing(self.live, self.next),
            retyped=tuple(
                Retyped(a.name, a.type, b.type, (a, b) in comparable)
                for a, b in common
                if a.type != b.type
            ),
            totals=tuple(totals),
            thresholds=self.compared.thresholds,
        )
        if not key:
            same = rows_live == rows_next and (same or self._holds_the_same(sides))
        elif same:
            matches = tuple(Match(b.name, 0, rows_live) for _, b in sides.columns)
            diff = replace(diff, rows=Rows(0, 0, rows_live, 0), matches=matches)
        else:
            diff, same = self._by_key(sides, diff)
        differs = not same or diff.added or diff.removed or diff.retyped
        return replace(diff, status="changed" if differs else "unchanged")

    def _key(self) -> tuple[list[Pair], str | None]:
        """The key's columns in both relations; none, and why, if rows can't be told apart by it."""
        if not self.compared.key:
            return [], "its YAML states no key"
        key = []
        for name in self.compared.key:
            live, next_ = self.live.find(name), self.next.find(name)
            if live is None or next_ is None:
                where = "live" if live is None else "next"
                return [], f"{name} of its key is no column of {where}"
            if live.family != next_.family:
                return [], f"{name} of its key is {live.type} in live and {next_.type} in next"
            key.append((live, next_))
        return key, None

    def _is_measure(self, pair: Pair) -> bool:
        """Whether its sum means something, and may be shown."""
        live, next_ = pair
        names_a_row = next_.name.casefold().endswith(_IDENTIFIERS)
        is_number = live.total and next_.total
        return bool(is_number and not names_a_row and not self.compared.is_private(next_.name))

    def _totals(self, sides: Sides, measures: Sequence[Pair]) -> tuple[int, int, bool, list[Total]]:
        """Rows in live and next, whether both are known to hold the same rows, and the totals."""
        row = list(self._row(statements.totals(sides, measures)))
        width = 2 + len(measures)
        (rows_live, mark_live, *of_live), (rows_next, mark_next, *of_next) = (
            row[:width],
            row[width:],
        )
        same = rows_live == rows_next and mark_live is not None and mark_live == mark_next
        same = same or not (rows_live or rows_next)
        totals = [
            Total(b.name, _decimal(live), _decimal(next_), a.total_is_exact and b.total_is_exact)
            for (a, b), live, next_ in zip(measures, of_live, of_next, strict=True)
        ]
        return int(rows_live), int(rows_next), same, totals

    def _holds_the_same(self, sides: Sides) -> bool:
        """Without a key and a fingerprint: whether each row comes as often in both."""
        own = [pair[0] for pair in sides.columns]
        if not own:
            return True
        types_differ = any(a.type != b.type for a, b in sides.columns)
        if self.engine.fingerprint(own) is not None and not types_differ:
            return False
        return int(self._row(statements.different_rows(sides))[0]) == 0

    def _by_key(self, sides: Sides, diff: ModelDiff) -> tuple[ModelDiff, bool]:
        """What the join finds, and whether that is nothing."""
        rows_live, rows_next = diff.rows_live or 0, diff.rows_next or 0
        lost = won = uncompared = vague = 0
        is_clean = self.live.keeps_unique(a for a, _ in sides.key) and self.next.keeps_unique(
            b for _, b in sides.key
        )
        if not is_clean and self._row(statements.vague_keys(sides))[0]:
            row = self._row(statements.keys(sides))
            lost, won, uncompared, vague = (int(value or 0) for value in row)
        grouped = [pair for pair in (*sides.key, *sides.columns) if self._groups(pair, sides)]
        personal_key = any(self.compared.is_private(b.name) for _, b in sides.key)
        shows_keys = self.values and not personal_key
        self.cursor.execute(
            statements.differences(sides, grouped, is_clean=not vague, with_keys=shows_keys)
        )
        only_live, only_next, changed, *differing = map(int, self._row(statements.counts(sides)))
        rows = Rows(
            only_live=lost if vague else only_live,
            only_next=won if vague else only_next,
            common=rows_live - (lost if vague else only_live),
            changed=changed,
            uncompared=uncompared,
        )
        places = {"live": only_live, "next": only_next, "changed": changed}
        notes = []
        if vague:
            notes.append(
                f"{vague:,} keys are null or come more than once: "
                "their rows are counted, but not compared"
            )
        if self.values and personal_key:
            notes.append("no example keys: the key is personal")
        diff = replace(
            diff,
            rows=rows,
            matches=tuple(
                Match(b.name, n, rows.compared)
                for (_, b), n in zip(sides.columns, differing, strict=True)
            ),
            shared=tuple(self._shared(sides, grouped, places, rows_live, rows_next)),
            examples=tuple(self._examples(sides)) if shows_keys and any(places.values()) else (),
            notes=tuple(notes),
        )
        if any((rows.only_live, rows.only_next, changed)):
            return diff, False
        # Rows that could not be compared may differ all the same.
        return diff, not uncompared or int(self._row(statements.different_rows(sides))[0]) == 0

    def _groups(self, pair: Pair, sides: Sides) -> bool:
        is_the_key = sides.key == (pair,)
        groups = pair[0].group and pair[1].group
        return bool(groups and not is_the_key and not self.compared.is_private(pair[1].name))

    def _shared(
        self,
        sides: Sides,
        grouped: Sequence[Pair],
        places: dict[str, int],
        rows_live: int,
        rows_next: int,
    ) -> Iterator[Shared]:
        """Columns of which a few values cover most rows of a place and little of the table."""
        wholes = {"live": rows_live, "next": rows_next, "changed": rows_live}
        asked = [
            place
            for place, rows in places.items()
            if rows >= ROWS_PER_VALUE and 100 * rows <= LARGEST_PCT * wholes[place]
        ]
        if not grouped or not asked:
            return
        self.cursor.execute(statements.frequent_values(sides, len(grouped), asked, MOST_VALUES))
        frequent: dict[tuple[str, int], list[tuple[str | None, int]]] = {}
        for place, number, value, rows in self.cursor.fetchall():
            frequent.setdefault((str(place).strip(), int(number)), []).append((value, int(rows)))
        covering: list[tuple[Place, int, list[str | None], float]] = []
        for (place, number), found in frequent.items():
            covered = 0
            for count, (_, rows) in enumerate(found, start=1):
                covered += rows
                pct = 100 * covered / places[place]
                if pct >= COVERED_PCT and places[place] >= count * ROWS_PER_VALUE:
                    top = [value for value, _ in found[:count]]
                    covering.append((cast(Place, place), number, top, pct))
                    break
        yield from self._far_more_than_the_table(sides, grouped, covering, wholes)

    def _far_more_than_the_table(
        self,
        sides: Sides,
        grouped: Sequence[Pair],
        covering: Sequence[tuple[Place, int, list[str | None], float]],
        wholes: dict[str, int],
    ) -> Iterator[Shared]:
        found: list[tuple[float, Shared]] = []
        for side, relation in ((0, sides.live), (1, sides.next)):
            of_side = [one for one in covering if (one[0] == "next") == bool(side)]
            if not of_side:
                continue
            asked = [(grouped[number][side], values) for _, number, values, _ in of_side]
            having = self._row(statements.rows_having(self.engine, relation, asked))
            for (place, number, values, pct), rows in zip(of_side, having, strict=True):
                table_pct = 100 * int(rows) / wholes[place]
                if pct >= TIMES_THE_TABLE * table_pct:
                    shown = tuple(values) if self.values else None
                    name = grouped[number][1].name
                    one = Shared(place, name, len(values), pct, table_pct, shown)
                    found.append((pct / max(table_pct, 1e-9), one))
        for place in ("changed", "live", "next"):
            own = [pair for pair in found if pair[1].place == place]
            own.sort(key=lambda pair: (-pair[0], pair[1].column))
            yield from (one for _, one in own[:SHARED_COLUMNS])

    def _examples(self, sides: Sides) -> Iterator[Example]:
        self.cursor.execute(statements.examples(sides, EXAMPLES))
        for place, *key in self.cursor.fetchall():
            yield Example(cast(Place, str(place).strip()), tuple(str(part) for part in key))

    def _row(self, statement: str) -> tuple[Any, ...]:
        # Without parameters, so that a % in a name is no placeholder.
        self.cursor.execute(statement)
        return tuple(self.cursor.fetchone())


def _missing(table: Table, other: Table) -> tuple[NamedType, ...]:
    names = {column.name for column in other.columns}
    return tuple(NamedType(one.name, one.type) for one in table.columns if one.name not in names)


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
