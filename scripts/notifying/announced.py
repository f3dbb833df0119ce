"""Which stale sources are news: those that became stale, and once a day those that still are.

Nothing is remembered for it: ops.source_freshness_results holds what was measured before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from common.warehouse import dialect, open_warehouse
from reporting.artifacts import Age, Freshness

# Each measurement of a table since it was last within the limits.
_BEFORE = """
    select measured.unique_id, measured.recorded_at
    from ops.source_freshness_results as measured
    where
        measured.unique_id in ({tables})
        and measured.status in ({statuses})
        and measured.invocation_id <> %s
        and not exists (
            select 1
            from ops.source_freshness_results as later
            where
                later.unique_id = measured.unique_id
                and later.recorded_at > measured.recorded_at
                and later.invocation_id <> %s
                and later.status not in ({statuses})
        )
    order by measured.recorded_at
"""


_UNMEASURED = """
    select unique_id, message
    from ops.source_freshness_results
    where invocation_id = %s and status = 'runtime error'
    order by unique_id
"""


class Record:
    """What the warehouse recorded of freshness; to be closed.

    All of it raises what common.warehouse.errors() lists if the warehouse doesn't answer.
    """

    def __init__(self, freshness: Freshness, target: str | None) -> None:
        self._freshness = freshness
        self._warehouse = open_warehouse(target)

    def close(self) -> None:
        self._warehouse.close()

    def unmeasured(self) -> list[Age]:
        """The tables that could not be measured this time: dbt leaves them out of sources.json."""
        return [
            Age(unique_id, "runtime error", None, None, None, message or "")
            for unique_id, message in self._rows(_UNMEASURED, [self._freshness.invocation])
        ]

    def news(self, found: Sequence[Age], statuses: Sequence[str]) -> list[Age]:
        """Those of `found`, which have one of these statuses, that were not told of today."""
        if not found:
            return []
        statement = _BEFORE.format(
            tables=", ".join(["%s"] * len(found)), statuses=", ".join(["%s"] * len(statuses))
        )
        this = self._freshness.invocation
        parameters = [*(age.unique_id for age in found), *statuses, this, this, *statuses]
        before: dict[str, list[datetime]] = defaultdict(list)
        for unique_id, moment in self._rows(statement, parameters):
            # SQL Server keeps UTC without saying so.
            known = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
            if known < self._freshness.generated:
                before[unique_id].append(known)
        now = self._freshness.generated
        return [age for age in found if is_news(before[age.unique_id], now)]

    def _rows(self, statement: str, parameters: Sequence[object]) -> Sequence[Any]:
        with self._warehouse.cursor() as cursor:
            dialect(self._warehouse).execute(cursor, statement, parameters)
            rows: Sequence[Any] = cursor.fetchall()
            return rows


def is_news(before: Sequence[datetime], now: datetime) -> bool:
    """Whether a source that is stale now, and was in all measurements `before`, is to be told of.

    It is when it became stale, and at the first measurement of each full day from then on.
    """
    if not before:
        return True
    return (now - before[0]).days > (before[-1] - before[0]).days
