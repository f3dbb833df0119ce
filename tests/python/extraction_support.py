"""What the extraction tests share: a table to load, and a look at what landed."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, dataclass, replace
from typing import Any

import forks
from common.postgres import identifier
from databases import Database, SqlServerDatabase
from extraction.engine import BatchResult, Observer
from extraction.run import Options, Plan, extract, plan
from extraction.spec import TableSpec


class Silent:
    """An observer that hears nothing."""

    def step(self, spec: TableSpec, step: str) -> None: ...

    def rows(self, spec: TableSpec, rows: int) -> None: ...


@dataclass
class Sent(Silent):
    """About how many rows left the source, keys that are compared included."""

    total: int = 0

    def rows(self, spec: TableSpec, rows: int) -> None:
        self.total += rows


def spec(table: str = "item", **changes: Any) -> TableSpec:  # noqa: ANN401
    """A table of the source `shop`, in mode full unless told otherwise."""
    default = TableSpec(
        source="shop",
        table=table,
        kind="postgres",
        connection="SHOP_URL",
        from_=("public", table),
        landing=("landing_shop", table),
    )
    return replace(default, **changes)


def cursor_spec(table: str = "item", **changes: Any) -> TableSpec:  # noqa: ANN401
    """The same in mode cursor, on `id` and `updated_at`, without lookback."""
    defaults: dict[str, Any] = {
        "mode": "cursor",
        "cursor": "updated_at",
        "lookback": "0 seconds",
        "primary_key": ("id",),
    }
    return spec(table, **{**defaults, **changes})


@dataclass
class Shop:
    """A source, a warehouse, and the way from one to the other."""

    source: Database | SqlServerDatabase
    warehouse: Database | SqlServerDatabase
    url: str = ""  # of the API in front of the source, if it has one

    @property
    def source_url(self) -> str:
        return self.url or self.source.url

    def extract(
        self,
        *specs: TableSpec,
        observer: Observer | None = None,
        **options: Any,  # noqa: ANN401
    ) -> list[BatchResult]:
        settings = Options(
            self.warehouse.url, {"shop": self.source_url}, **{"backoff": 0.01, **options}
        )
        return extract(specs, settings, observer or Silent(), _ignore)

    def load(self, table: TableSpec, **options: Any) -> BatchResult:  # noqa: ANN401
        """Extracts one table; fails the test if that fails."""
        (result,) = self.extract(table, **options)
        assert result.error is None, result.error
        return result

    def fail(self, table: TableSpec, **options: Any) -> str:  # noqa: ANN401
        """Extracts one table that must fail; returns why."""
        (result,) = self.extract(table, **options)
        assert result.error is not None, f"{table.name} was expected to fail and landed"
        return result.error

    def extract_elsewhere(
        self, table: TableSpec, fault: str = "none", at: int = 0
    ) -> dict[str, Any] | None:
        """Extracts in a process of its own, see extraction_fault.py; None if it was killed."""
        declared = json.dumps({**asdict(table), "exclude": sorted(table.exclude)})
        done = forks.run(
            forks.HERE / "extraction_fault.py",
            *(self.source_url, self.warehouse.url, declared, fault, str(at)),
        )
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stderr
        ended: dict[str, Any] = json.loads(done.stdout)
        return ended

    def plan(self, *specs: TableSpec, **options: Any) -> list[Plan]:  # noqa: ANN401
        return plan(specs, Options(self.warehouse.url, {"shop": self.source_url}, **options))

    def landed(self, table: TableSpec, columns: str = "*") -> list[tuple[Any, ...]]:
        """All rows in landing, oldest batch first."""
        return self.warehouse.query(
            f"select {columns} from {identifier(*table.landing)} order by _batch_id, 1"
        )

    def has_landed(self, table: TableSpec) -> bool:
        """Whether there is a landing table."""
        return self.warehouse.has(*table.landing)

    def current(self, table: TableSpec, columns: str) -> list[tuple[Any, ...]]:
        """What bronze would show: the newest row of each key that is not flagged as deleted."""
        keys = ", ".join(table.primary_key)
        return self.warehouse.query(
            f"select {columns} from (select *, row_number() over (partition by {keys} "
            f"order by _batch_id desc) as _nth from {identifier(*table.landing)}) as t "
            f"where _nth = 1 and _deleted_at is null order by 1"
        )

    def batches(self, table: str = "item") -> list[str]:
        """The states of a table's batches, oldest first."""
        rows = self.warehouse.query(
            "select status from ops.extract_batches where table_name = %s order by batch_id",
            [table],
        )
        return [status for (status,) in rows]


def _ignore(result: BatchResult) -> None: ...
