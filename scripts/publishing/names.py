"""The names of a layer's schemas: `gold` is live, `gold__next` is built, `gold__g41` was live."""

from __future__ import annotations

import re

from publishing.errors import PublishError

_NEXT = "__next"
NOT_LIVE = r"__(next|g\d+)$"
# Postgres cuts longer names off, so that a next schema could be the live one.
_LONGEST = 63


def next_of(schema: str) -> str:
    """Where a layer is built before it is published."""
    return _checked(schema + _NEXT)


def generation_of(schema: str, generation: int) -> str:
    """Where a layer keeps what was live in a generation and was replaced."""
    return _checked(f"{schema}__g{generation}")


def is_live(schema: str) -> bool:
    """Whether a schema is neither a next one nor a generation's."""
    return not re.search(NOT_LIVE, schema)


def _checked(name: str) -> str:
    if len(name.encode()) > _LONGEST:
        raise PublishError(
            f"The schema {name} would have more than {_LONGEST} bytes in its name. Choose a "
            "shorter schema for this target, or for its layer."
        )
    return name
