"""A demo source that lives through days."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import demo_sources
from databases import Database

TODAY = datetime(2025, 3, 14, tzinfo=timezone.utc)
SCALE = 0.05


class Days:
    """A source that lives through days."""

    def __init__(self, name: str, database: Database) -> None:
        self.name, self.database, self.today = name, database, TODAY
        demo_sources.build(database.url, name, SCALE, TODAY)

    def tick(self) -> None:
        self.today += timedelta(days=1)
        demo_sources.tick(self.database.url, self.name, self.today)

    def keys(self, table: str, key: str) -> set[int]:
        return {value for (value,) in self.database.query(f"select {key} from {table}")}
