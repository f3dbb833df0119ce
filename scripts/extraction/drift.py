"""What to do when the source's columns are no longer the landing's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from extraction.engine import METADATA, Column, Writer
from extraction.errors import ExtractError
from extraction.spec import TableSpec


@dataclass
class Drift:
    """How a batch lands: which columns are sent, and what becomes of the landing table.

    `columns` are all data columns of the landing table after the batch, in its order.
    """

    sent: list[Column] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)
    widened: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def plan_drift(
    spec: TableSpec,
    source: Sequence[Column],
    landing: Mapping[str, str],
    writer: Writer,
) -> Drift:
    """Compares the source's columns with the landing's and applies the table's policy.

    evolve: a new column is added, a missing one becomes null, a wider type widens the landing.
    freeze: any of these stops the table. ignore: new columns are left out, wider types stop it.
    Raises ExtractError, with what to do, when the batch can't land; nothing was changed then.
    """
    _check_names(spec, source, writer)
    drift = Drift(columns=dict(landing))
    for column in source:
        old, new = landing.get(column.name), column.type
        if old == new:
            drift.sent.append(column)
        elif old is None:
            _add(spec, drift, column, is_first=not landing)
        elif writer.widens(new, old):
            drift.sent.append(_cast(column, old))
        elif not writer.widens(old, new):
            raise ExtractError(
                f"{spec.name}: column {column.name} was {old} and is now {new} at the source "
                f"({column.source_type}); values do not fit. Landing is unchanged. "
                f"{writer.repair_hint(spec, column.name, new)}"
            )
        elif spec.schema_drift == "ignore":
            raise ExtractError(  # a cast would round what does not fit
                f"{spec.name}: column {column.name} was {old} and is now {new} at the source, and "
                "`schema_drift: ignore` changes nothing in landing. Landing is unchanged. Set "
                "`schema_drift: evolve` for one run to widen it."
            )
        else:
            drift.sent.append(column)
            drift.columns[column.name] = drift.widened[column.name] = new
            drift.changes.append(f"{column.name} widened from {old} to {new}")
    if not drift.sent:
        raise ExtractError(f"{spec.name}: the source's table has no column that can land.")
    for name in landing.keys() - {column.name for column in source}:
        drift.changes.append(f"{name} is missing at the source, null from now on")
    if spec.schema_drift == "freeze" and drift.changes:
        raise ExtractError(
            f"{spec.name}: its schema is frozen, and at the source {'; '.join(drift.changes)}. "
            "Landing is unchanged. Set `schema_drift: evolve` in the source's YAML to let it in."
        )
    return drift


def _add(spec: TableSpec, drift: Drift, column: Column, *, is_first: bool) -> None:
    if spec.schema_drift == "ignore" and not is_first:
        drift.changes.append(f"{column.name} is new at the source, ignored")
        return
    drift.sent.append(column)
    drift.columns[column.name] = column.type
    if not is_first:
        drift.added[column.name] = column.type
        drift.changes.append(f"{column.name} added as {column.type}")


def _cast(column: Column, type_: str) -> Column:
    if column.typed_by_warehouse:
        return replace(column, type=type_)
    return replace(column, type=type_, expression=f"cast({column.expression} as {type_})")


def _check_names(spec: TableSpec, source: Sequence[Column], writer: Writer) -> None:
    for what, name in (("schema", spec.landing[0]), ("table", spec.landing[1])):
        if limit := writer.is_over(name):
            raise ExtractError(
                f"{spec.name}: its landing {what}, {name}, has a longer name than the warehouse "
                f"takes: at most {limit}. Give it a shorter one in the source's YAML."
            )
    # What `exclude` names as it is written at the source is not among the columns any more.
    excluded = {name.lower(): name for name in spec.exclude}
    for column in source:
        if column.source.lower() in excluded and column.source not in spec.rename:
            raise ExtractError(
                f"{spec.name}: `exclude` names {excluded[column.source.lower()]!r}, and the "
                f"source's column is {column.source!r}. Write it as it is there, or, if this is "
                "another that may land, name it in `rename`."
            )
    taken: dict[str, str] = dict.fromkeys(METADATA, "landing's own metadata")
    for column in source:
        if column.name in taken:
            raise ExtractError(
                f"{spec.name}: {column.source!r} lands as {column.name}, which is "
                f"{taken[column.name]}. Add `rename: {{{column.source!r}: <another name>}}` to its "
                "config.meta.extract."
            )
        if limit := writer.is_over(column.name):
            raise ExtractError(
                f"{spec.name}: {column.source!r} lands as {column.name}, which is a longer name "
                f"than the warehouse takes: at most {limit}. Shorten it in `rename` of its "
                "config.meta.extract."
            )
        taken[column.name] = f"the column {column.source!r} too"
    missing = [
        name
        for name in (*spec.primary_key, *filter(None, [spec.cursor]), *spec.rename)
        if name not in {column.source for column in source}
    ]
    if missing:
        raise ExtractError(
            f"{spec.name}: the source has no column {', '.join(map(repr, missing))}, which its "
            f"config.meta.extract names. It has: {', '.join(column.source for column in source)}."
        )
