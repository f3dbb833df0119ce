"""Takes apart what dbt sends: batches of the adapter around the project's own statements."""

from __future__ import annotations

import re
from collections.abc import Iterator

QUERY_COMMENT = re.compile(r"\A\s*/\* \{.*?\} \*/", re.DOTALL)
EXECUTED_TEXT = re.compile(r"\bexec\s*\(\s*'((?:[^']|'')*)'\s*\)\s*;?", re.IGNORECASE | re.DOTALL)

# The adapter's own T-SQL, which no parser reads and the project can't change: locks, indexes,
# questions about the catalogue. An option ends its statement; the adapter writes no semicolon.
SCAFFOLDING = [
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"\buse \[[^\]]*\];?", ""),
        (r"\bdeclare @dbt_schema_lock\b.*\bsp_releaseapplock\b[^;]*;", ""),
        (r"\bif (not )?exists\s*\(\s*select \*\s+from sys\.indexes\b.*?columnstore index[^;]*", ""),
        (r"\boption \(label = '[^']*'\);?", ";"),
        (r"\bnonclustered\b", ""),
        (r"\A.*\bfrom sys\.\w+\s(?!\().*\Z", ""),
    )
]


def unwrapped(batch: str) -> Iterator[str]:
    """The statements inside `exec('…')`, then what is around them."""
    batch = QUERY_COMMENT.sub("", batch)
    for match in EXECUTED_TEXT.finditer(batch):
        yield from unwrapped(match[1].replace("''", "'"))
    yield EXECUTED_TEXT.sub(" ", batch)


def statements(batch: str) -> Iterator[str]:
    """The same, without what is the adapter's own."""
    for statement in unwrapped(batch):
        own = statement
        for pattern, replacement in SCAFFOLDING:
            own = pattern.sub(replacement, own)
        if own.strip(" \n;"):
            yield own
