"""The names of a layer's schemas: `gold` is live, `gold__next` is built, `gold__g41` was live."""

from __future__ import annotations

import re

_NEXT = "__next"
_OTHER = re.compile(r"__(next|g\d+)$")


def next_of(schema: str) -> str:
    """Where a layer is built before it is published."""
    return schema + _NEXT


def generation_of(schema: str, generation: int) -> str:
    """Where a layer keeps what was live in a generation and was replaced."""
    return f"{schema}__g{generation}"


def is_live(schema: str) -> bool:
    """Whether a schema is neither a next one nor a generation's."""
    return not _OTHER.search(schema)
