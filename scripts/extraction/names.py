"""Landing's names: snake_case, and never longer than an identifier may be."""

from __future__ import annotations

import hashlib
import re

MAX_BYTES = 63

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def landing_name(name: str) -> str:
    """`SalesOrderID` -> `sales_order_id`; whatever is neither letter nor digit becomes `_`.

    A name without any letter or digit, and one that is too long for an identifier (63 bytes),
    ends in a digest of the original, so that two of them never meet.
    """
    words = re.sub(r"\W+", "_", _WORD_START.sub("_", name)).lower()
    snake = re.sub(r"_{2,}", "_", words)
    snake = snake.strip("_") if not name.startswith("_") else snake.rstrip("_")
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:8]
    if not snake.strip("_"):
        return f"column_{digest}"
    if len(snake.encode()) > MAX_BYTES:
        kept = snake.encode()[: MAX_BYTES - 9].decode(errors="ignore")
        return f"{kept}_{digest}"
    return snake
