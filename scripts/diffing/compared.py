"""What to compare: a dbt node and its two relations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diffing.thresholds import Thresholds

Relation = tuple[str, str]  # schema, identifier
Columns = Mapping[str, Mapping[str, Any]]  # of a node, by name


@dataclass(frozen=True)
class Compared:
    """A model, its relation in live and in next, and what its YAML says of them.

    `live` is None for a model that is new, `next` for one that is removed. `described` are the
    columns that the YAML names, None if it speaks for all: of a column that it does not name nobody
    has said that it is not personal, so it is treated as if it were.
    """

    name: str
    live: Relation | None
    next: Relation | None
    key: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    thresholds: Thresholds = field(default_factory=Thresholds)
    described: frozenset[str] | None = None

    def is_private(self, column: str) -> bool:
        """Whether no value of this column may be shown, not even in a total."""
        folded = column.casefold()
        if folded in {name.casefold() for name in self.personal}:
            return True
        described = self.described
        return described is not None and folded not in {name.casefold() for name in described}


def from_nodes(
    node: Any,  # noqa: ANN401  # dbt's ModelNode, or its dictionary in manifest.json
    live: Relation | None,
    next: Relation | None,  # the project's word, not the function
    *,
    was: Any | None = None,  # noqa: ANN401
) -> Compared:
    """What to compare of a model: its key, its personal columns and its thresholds.

    `was` is the node that live was built of, if it is known: what is personal there stays so here,
    because live still holds the values from before a column was hashed and lost its mark.

    The key is the primary key of the contract, else what dbt infers from the tests of uniqueness,
    else `unique_key`; a snapshot's `unique_key` is none. Raises ThresholdError.
    """
    node = _as_mapping(node)
    columns: Columns = node.get("columns") or {}
    before: Columns = (_as_mapping(was).get("columns") or {}) if was is not None else {}
    config = node.get("config") or {}
    meta = config.get("meta") or {}
    return Compared(
        name=str(node["name"]),
        live=live,
        next=next,
        key=_key(node, columns, config),
        personal=frozenset(
            name for name, column in [*columns.items(), *before.items()] if _is_personal(column)
        ),
        thresholds=Thresholds.parse(str(node["name"]), meta.get("diff"), list(columns)),
        described=frozenset(columns),
    )


def _as_mapping(node: Any) -> Mapping[str, Any]:  # noqa: ANN401
    found: Mapping[str, Any] = node if isinstance(node, Mapping) else node.to_dict(omit_none=False)
    return found


def _key(node: Mapping[str, Any], columns: Columns, config: Mapping[str, Any]) -> tuple[str, ...]:
    stated = [
        name
        for constraint in node.get("constraints") or []
        if constraint["type"] == "primary_key"
        for name in constraint["columns"]
    ]
    stated += [
        name
        for name, column in columns.items()
        if any(one["type"] == "primary_key" for one in column.get("constraints") or [])
    ]
    if not stated:
        stated = list(node.get("primary_key") or [])
    if not stated and node.get("resource_type", "model") == "model":
        unique_key = config.get("unique_key") or []
        stated = [unique_key] if isinstance(unique_key, str) else list(unique_key)
    return tuple(dict.fromkeys(stated))


def _is_personal(column: Mapping[str, Any]) -> bool:
    of_config = (column.get("config") or {}).get("meta") or {}
    return bool(({**(column.get("meta") or {}), **of_config}).get("contains_pii"))
