"""Which relation goes where when generations come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from publishing.errors import PublishError
from publishing.generations import NOTHING, Change, Generation
from publishing.names import generation_of, next_of


@dataclass(frozen=True)
class Move:
    """A relation from one schema into another."""

    schema: str
    name: str
    kind: str
    to: str
    definition: str | None = None  # makes the view at its new place, if it is gone


def publish(changes: Iterable[Change], base: int) -> list[Move]:
    """Live goes to the schemas of its generation, and next goes live."""
    return _replaced(changes, base, next_of)


def again(changes: Iterable[Change], number: int, base: int) -> list[Move]:
    """A generation that was rolled back becomes live again."""
    return _replaced(changes, base, lambda schema: generation_of(schema, number))


def _replaced(changes: Iterable[Change], base: int, comes_from: Callable[[str], str]) -> list[Move]:
    changes = _views_first(changes)
    return [
        *(
            Move(c.schema, c.name, c.replaced, generation_of(c.schema, base))
            for c in changes
            if c.replaced
        ),
        *(
            Move(comes_from(c.schema), c.name, c.published, c.schema)
            for c in changes
            if c.published
        ),
    ]


def back(changes: Iterable[Change], number: int, base: int) -> list[Move]:
    """What a generation brought goes to its schemas, and what it replaced comes back."""
    changes = _views_first(changes)
    return [
        *(
            Move(c.schema, c.name, c.published, generation_of(c.schema, number))
            for c in changes
            if c.published
        ),
        *(
            Move(generation_of(c.schema, base), c.name, c.replaced, c.schema, c.definition)
            for c in changes
            if c.replaced
        ),
    ]


def resolve(
    steps: Iterable[Move], there: Iterable[tuple[str, str]]
) -> tuple[list[Move], list[str]]:
    """The moves of what is there, and the statements that make the views that are gone.

    Raises PublishError for a relation that is gone and can't be made.
    """
    present, gone = set(there), dict[tuple[str, str], str]()
    found = []
    for move in steps:
        source, place = (move.schema, move.name), (move.to, move.name)
        if source in present:
            found.append(move)
            present.remove(source)
            present.add(place)
        elif source in gone:
            del gone[source]
        elif move.definition:
            gone[place] = move.definition
        else:
            raise PublishError(
                f"{move.schema}.{move.name} is not there any more: it was pruned. `status` lists "
                "the generations that can become live."
            )
    return found, list(gone.values())


def _views_first(changes: Iterable[Change]) -> list[Change]:
    # As readers lock them: a view, then what it reads.
    return sorted(changes, key=lambda one: (one.replaced or one.published) != "view")


def path(generations: Sequence[Generation], live: int, to: int) -> tuple[list[int], list[int]]:
    """The generations to take back, and then to bring again, from one to the other.

    Raises PublishError if one of them was never live, or is gone.
    """
    known = {one.number: one for one in generations}
    if to not in known and to != NOTHING:
        raise PublishError(f"There is no generation {to}.")
    ours, theirs = list(_line(known, live)), list(_line(known, to))
    common = next(one for one in ours if one in theirs)
    undone = ours[: ours.index(common)]
    redone = list(reversed(theirs[: theirs.index(common)]))
    for number in redone:
        if known[number].status != "rolled back":
            raise PublishError(
                f"Generation {number} can't become live: it is {known[number].status}."
            )
    return undone, redone


def _line(known: dict[int, Generation], number: int) -> Iterator[int]:
    while number != NOTHING:
        yield number
        number = known[number].base
    yield NOTHING
