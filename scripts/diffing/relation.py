"""What the catalogue says of a relation, and how its columns are compared, summed and grouped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


def fill(template: str, expression: str) -> str:
    """A template with its `{}` filled in; what is filled in may hold braces itself."""
    return template.replace("{}", expression)


@dataclass(frozen=True)
class Column:
    """A column; templates have `{}` for the column in its relation.

    Two columns of one `family` can be compared. `equal_by` are the expressions that two values must
    agree in, the first of which alone is what keys are joined by.
    """

    name: str
    type: str
    family: str
    nullable: bool
    equal_by: tuple[str, ...]
    digest: str | None = None  # what a fingerprint is made of, where the engine has one
    total: str | None = None  # the sum, of a number
    total_is_exact: bool = True
    group: str | None = None  # as a short text to group by, None of types that do not repeat


@dataclass(frozen=True)
class Table:
    """A relation that exists: `unique` are the sets of columns that an index keeps unique."""

    columns: tuple[Column, ...]
    unique: tuple[frozenset[str], ...]

    def find(self, name: str) -> Column | None:
        """By its exact name, else whatever its case: YAML and catalogue need not agree in it."""
        exact = [column for column in self.columns if column.name == name]
        folded = [one for one in self.columns if one.name.casefold() == name.casefold()]
        return next(iter(exact or folded), None)

    def keeps_unique(self, key: Iterable[Column]) -> bool:
        """Whether the server itself guarantees that this key is never null and never repeats."""
        columns = list(key)
        names = {column.name for column in columns}
        never_null = not any(column.nullable for column in columns)
        return never_null and any(one <= names for one in self.unique)
