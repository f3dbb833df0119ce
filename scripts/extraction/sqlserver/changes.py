"""Change Tracking: the server's own list of the keys that changed, deletes included."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.sqlserver import identifier
from extraction.sqlserver.types import SourceType

_PREFIX = "change tracking version "

# Not a secondary replica, nor another read-only copy: these track no changes, and don't know which
# transactions are under way where rows are written.
IS_WRITTEN_TO = (
    "convert(nvarchar(20), databasepropertyex(db_name(), 'Updateability')) = 'READ_WRITE'"
)

_IS_TRACKED = f"""
    select 1 from sys.change_tracking_tables where object_id = object_id(?) and {IS_WRITTEN_TO}
"""
_VERSIONS = """
    select change_tracking_current_version(), change_tracking_min_valid_version(object_id(?))
"""
_OLDEST = "select change_tracking_min_valid_version(object_id(?))"
_KEYS = """
    select c.name
    from sys.indexes as i
    inner join sys.index_columns as k on k.object_id = i.object_id and k.index_id = i.index_id
    inner join sys.columns as c on c.object_id = k.object_id and c.column_id = k.column_id
    where i.object_id = object_id(?) and i.is_primary_key = 1
    order by k.key_ordinal
"""

Query = Callable[..., list[Any]]


@dataclass(frozen=True)
class TrackedChanges:
    """What the server remembers of a table, taken before any of its rows is read.

    `version` is that of the last commit, `oldest` the first whose changes are still known.
    """

    query: Query
    table: str
    keys: Sequence[str]
    version: int
    oldest: int

    @staticmethod
    def of(query: Query, table: str, types: Mapping[str, SourceType]) -> TrackedChanges | None:
        """None if the table isn't tracked, or the user may not look (view change tracking)."""
        if not query(_IS_TRACKED, table):
            return None
        version, oldest = query(_VERSIONS, table)[0]
        keys = [name for (name,) in query(_KEYS, table)]
        if None in (version, oldest) or not keys or not set(keys) <= types.keys():
            return None
        return TrackedChanges(query, table, keys, int(version), int(oldest))

    @property
    def overlap(self) -> str:
        """What the next batch is to know."""
        return f"{_PREFIX}{self.version}"

    def reach_back_to(self, version: int) -> bool:
        """Whether all that changed since that version is still known."""
        return self.oldest <= version <= self.version

    def still_reach_back_to(self, version: int) -> bool:
        """The same, asked anew: the server forgets while it is read, too."""
        ((oldest,),) = self.query(_OLDEST, self.table)
        return oldest is not None and int(oldest) <= version

    def condition(self, version: int) -> str:
        """Selects the rows, of a table with the alias t, that changed after that version."""
        same = " and ".join(f"ct.{identifier(key)} = t.{identifier(key)}" for key in self.keys)
        return f"exists (select 1 from {self._since(version)} where {same})"

    def deleted_any(self, version: int) -> bool:
        """Whether rows were deleted after that version."""
        return bool(
            self.query(
                f"select top (1) 1 from {self._since(version)} where ct.SYS_CHANGE_OPERATION = 'D'"
            )
        )

    def _since(self, version: int) -> str:
        return f"changetable(changes {self.table}, {version}) as ct"


def version_of(overlap: str | None) -> int | None:
    """The version that a batch noted, None if it was read in another way."""
    found = re.fullmatch(rf"{_PREFIX}(\d+)", overlap or "")
    return int(found[1]) if found else None
