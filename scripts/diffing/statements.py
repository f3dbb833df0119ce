"""The SQL of a comparison, in what both engines share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diffing.compared import Relation
from diffing.engine import Engine
from diffing.relation import Column, fill

Pair = tuple[Column, Column]  # one column in live and in next


@dataclass(frozen=True)
class Sides:
    """The two relations, and the columns of each that stand for the same."""

    engine: Engine
    live: Relation
    next: Relation
    key: tuple[Pair, ...]
    columns: tuple[Pair, ...]  # that can be compared, without the key

    def relation(self, side: int) -> str:
        return self.engine.quote(*(self.live, self.next)[side])


def totals(sides: Sides, measures: Sequence[Pair]) -> str:
    """One row: of live, then of next, the number of rows, the fingerprint and the totals."""
    both = []
    for side in (0, 1):
        own = [pair[side] for pair in (*sides.key, *sides.columns)]
        fingerprint = sides.engine.fingerprint(own) or "cast(null as integer)"
        sums = [
            f"{fill(str(pair[side].total), sides.engine.quote(pair[side].name))} as t{number}"
            for number, pair in enumerate(measures)
        ]
        parts = [f"{sides.engine.count} as n", f"{fingerprint} as f", *sums]
        both.append(f"(select {', '.join(parts)} from {sides.relation(side)})")
    return f"select l.*, n.* from {both[0]} as l cross join {both[1]} as n"


def different_rows(sides: Sides) -> str:
    """How many different rows, all columns taken together, do not come equally often in both."""
    names = [f"c{n}" for n, _ in enumerate(_operands(sides, 0, (*sides.key, *sides.columns)))]
    counted = _counted(sides, (*sides.key, *sides.columns), names, whole=True)
    return f"select {sides.engine.count} from ({counted}) as g where in_live <> in_next"


def vague_keys(sides: Sides) -> str:
    """How many keys are null or come more than once, in live or in next; cheaper than `keys`."""
    names = ", ".join(_key_names(sides))
    each = []
    for side in (0, 1):
        operands = _firsts(sides, side, sides.key)
        columns = ", ".join(
            f"{operand} as {name}"
            for operand, name in zip(operands, _key_names(sides), strict=True)
        )
        each.append(
            f"(select {sides.engine.count} as n from (select {names} from (select {columns} "
            f"from {sides.relation(side)}) as t group by {names} "
            f"having count(*) > 1{_null_keys(sides)}) as g)"
        )
    return f"select a.n + b.n from {each[0]} as a cross join {each[1]} as b"


def keys(sides: Sides) -> str:
    """One row: rows only in live and only in next, rows in both that no key tells apart.

    The last column counts the keys that are null or come more than once.
    """
    vague = _vague(sides)
    lesser = "case when in_live < in_next then in_live else in_next end"
    return f"""
        select
            sum(case when in_live > in_next then in_live - in_next else 0 end),
            sum(case when in_next > in_live then in_next - in_live else 0 end),
            sum(case when {vague} then {lesser} else 0 end),
            sum(case when {vague} then 1 else 0 end)
        from ({_counted(sides, sides.key, _key_names(sides))}) as g
    """


def differences(sides: Sides, grouped: Sequence[Pair], *, is_clean: bool, with_keys: bool) -> str:
    """Stores the rows that differ: their place, d<n> that column n differs, g<n>, and the key.

    `is_clean` says that no key is null or comes more than once; otherwise such rows are left out.
    """
    engine = sides.engine
    compared = [
        [(fill(a, f"l.c{n}"), fill(b, f"n.c{n}")) for a, b in _both(pair)]
        for n, pair in enumerate(sides.columns)
    ]
    place = {pair: n for n, pair in enumerate((*sides.columns, *sides.key))}
    parts = [
        "case when l.here is null then 'next' when n.here is null then 'live' "
        "else 'changed' end as place"
    ]
    parts += [
        f"case when l.here = 1 and n.here = 1 and ({engine.differ(one)}) then 1 end as d{number}"
        for number, one in enumerate(compared)
    ]
    for number, pair in enumerate(grouped):
        at = place[pair]
        name = f"c{at}" if at < len(compared) else f"k{at - len(compared)}"
        live, next_ = (
            fill(str(one.group), f"{s}.{name}") for s, one in zip("ln", pair, strict=True)
        )
        parts.append(f"case when l.here is null then {next_} else {live} end as g{number}")
    if with_keys:
        parts += [f"coalesce(l.k{n}, n.k{n}) as k{n}" for n, _ in enumerate(sides.key)]
    any_differs = ""
    if compared:
        any_differs = f" or {engine.differ([pair for one in compared for pair in one])}"
    joined = " and ".join(
        f"{fill(a.equal_by[0], f'l.k{n}')} = {fill(b.equal_by[0], f'n.k{n}')}"
        for n, (a, b) in enumerate(sides.key)
    )
    with_ = ""
    if not is_clean:
        names = ", ".join(_key_names(sides))
        counted = _counted(sides, sides.key, _key_names(sides))
        with_ = f"with vague as (select {names} from ({counted}) as g where {_vague(sides)})"
    return engine.store(
        with_,
        ", ".join(parts),
        f"from {_raw(sides, 0, is_clean)} as l full join {_raw(sides, 1, is_clean)} as n "
        f"on {joined} where l.here is null or n.here is null{any_differs}",
    )


def counts(sides: Sides) -> str:
    """One row: the stored rows of each place, then how many differ in each column."""
    places = [f"count(case when place = '{one}' then 1 end)" for one in ("live", "next", "changed")]
    flags = [f"count(d{number})" for number, _ in enumerate(sides.columns)]
    return f"select {', '.join(places + flags)} from {sides.engine.differences}"


def frequent_values(sides: Sides, number: int, places: Iterable[str], most: int) -> str:
    """Rows of place, number of the grouped column, value, rows: the most frequent ones first."""
    of_places = ", ".join(f"'{place}'" for place in places)
    each = [
        f"select place, {n} as i, g{n} as value, count(*) as frequency "
        f"from {sides.engine.differences} where place in ({of_places}) group by place, g{n}"
        for n in range(number)
    ]
    return f"""
        select place, i, value, frequency
        from (
            select place, i, value, frequency,
                row_number() over (partition by place, i order by frequency desc, value) as r
            from ({" union all ".join(each)}) as a
        ) as b
        where r <= {most}
        order by place, i, r
    """


def rows_having(
    engine: Engine, relation: Relation, asked: Sequence[tuple[Column, Sequence[str | None]]]
) -> str:
    """One row: how many rows of a relation have one of the values, for each question."""
    counts_ = []
    for column, values in asked:
        expression = fill(str(column.group), engine.quote(column.name))
        literals = ", ".join(engine.literal(value) for value in values if value is not None)
        conditions = [f"{expression} in ({literals})"] if literals else []
        conditions += [f"{engine.quote(column.name)} is null"] if None in values else []
        counts_.append(f"count(case when {' or '.join(conditions)} then 1 end)")
    return f"select {', '.join(counts_)} from {engine.quote(*relation)}"


def examples(sides: Sides, most: int) -> str:
    """Rows of place and key, a few of each place."""
    names = ", ".join(_key_names(sides))
    return f"""
        select place, {names}
        from (
            select place, {names},
                row_number() over (partition by place order by {names}) as r
            from {sides.engine.differences}
        ) as a
        where r <= {most}
        order by place, r
    """


def _raw(sides: Sides, side: int, is_clean: bool) -> str:
    """A relation with its columns as k<n> and c<n>, `here` being 1."""
    quote = sides.engine.quote
    keys_ = [f"t.{quote(pair[side].name)} as k{n}" for n, pair in enumerate(sides.key)]
    others = [f"t.{quote(pair[side].name)} as c{n}" for n, pair in enumerate(sides.columns)]
    text = f"select 1 as here, {', '.join(keys_ + others)} from {sides.relation(side)} as t"
    if not is_clean:
        own = [(f"t.{quote(pair[side].name)}", pair[side].equal_by[0]) for pair in sides.key]
        same = " and ".join(f"v.k{n} = {fill(by, name)}" for n, (name, by) in enumerate(own))
        text += " where " + " and ".join(f"{name} is not null" for name, _ in own)
        text += f" and not exists (select 1 from vague as v where {same})"
    return f"({text})"


def _counted(
    sides: Sides, pairs: Sequence[Pair], names: Sequence[str], *, whole: bool = False
) -> str:
    """How often each combination of values comes in live and in next; `whole`: bytes and all."""
    of_sides = []
    flags = ("1 as l, cast(null as integer) as n", "cast(null as integer) as l, 1 as n")
    for side, flag in enumerate(flags):
        operands = _operands(sides, side, pairs) if whole else _firsts(sides, side, pairs)
        columns = [f"{one} as {name}" for one, name in zip(operands, names, strict=True)]
        of_sides.append(f"select {', '.join(columns)}, {flag} from {sides.relation(side)}")
    listed = ", ".join(names)
    return (
        f"select {listed}, count(l) as in_live, count(n) as in_next "
        f"from ({' union all '.join(of_sides)}) as u group by {listed}"
    )


def _vague(sides: Sides) -> str:
    return f"in_live > 1 or in_next > 1{_null_keys(sides)}"


def _null_keys(sides: Sides) -> str:
    return "".join(f" or {name} is null" for name in _key_names(sides))


def _key_names(sides: Sides) -> list[str]:
    return [f"k{number}" for number, _ in enumerate(sides.key)]


def _firsts(sides: Sides, side: int, pairs: Iterable[Pair]) -> list[str]:
    quote = sides.engine.quote
    return [fill(pair[side].equal_by[0], quote(pair[side].name)) for pair in pairs]


def _operands(sides: Sides, side: int, pairs: Iterable[Pair]) -> list[str]:
    quote = sides.engine.quote
    return [fill(by, quote(pair[side].name)) for pair in pairs for by in pair[side].equal_by]


def _both(pair: Pair) -> Iterable[tuple[str, str]]:
    """Both columns are of one family, so they are equal by as many expressions."""
    return zip(pair[0].equal_by, pair[1].equal_by, strict=True)
