"""Change tracking and rowversions where their answers can't be relied on; without a server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from extraction.engine import Watermark
from extraction.errors import ExtractError, TransientError
from extraction.sqlserver.reader import SqlServerReader
from extraction_support import cursor_spec
from scripted_sqlserver import ScriptedServer

ITEM = cursor_spec(kind="sqlserver", from_=("dbo", "item"), lookback=None)
COLUMNS = {
    "id": ("id", False, "int", 4, 10, 0, False, None, None),
    "updated_at": ("updated_at", True, "int", 4, 10, 0, False, None, None),
    "v": ("updated_at", False, "timestamp", 8, 0, 0, False, None, None),
}


def database(
    *oldest: int | None,
    has_snapshots: bool = False,
    is_read_only: bool = False,
    cursor: str = "updated_at",
) -> Any:  # noqa: ANN401
    """A server that tracks the changes of [item]; `oldest` is what it still knows, each time."""
    known = iter(oldest)
    answers: dict[str, list[Any]] = {
        "min_active_rowversion()": [(None if is_read_only else 9,)],
        "snapshot_isolation_state": [(int(has_snapshots),)],
        "sys.columns as c\n    inner join sys.types": [COLUMNS["id"], COLUMNS[cursor]],
        "sys.change_tracking_tables": [] if is_read_only else [(1,)],
        "sys.indexes": [("id",)],
        "top (1) convert": [("5",)],
        "select case when": [(0,)],
        "SYS_CHANGE_OPERATION = 'D'": [],
        "select [id] as c0": [(1,), (2,)],
        "count_big": [("2:7",)],
    }

    def script(statement: str) -> Iterable[Any]:
        if "change_tracking_current_version()" in statement:
            return [(9, next(known))]
        if "change_tracking_min_valid_version" in statement:
            return [(next(known),)]
        return next((rows for part, rows in answers.items() if part in statement), [])

    return ScriptedServer(script)


def read(server: Any) -> int:  # noqa: ANN401
    """Reads what changed since version 4."""
    reader = SqlServerReader(server, "source shop")
    columns = reader.columns(ITEM)
    watermark = Watermark(cursor_to="5", overlap="change tracking version 4")
    window = reader.window(ITEM, columns, watermark, None)
    sent = reader.stream(ITEM, columns[:1], window.condition)({})(lambda *_: None)
    assert ("changetable(changes" in f"{window.condition}") == (window.overlap != "2:7")
    return sent


def test_what_is_still_known_after_it_was_read_has_been_read_whole() -> None:
    assert read(database(2, 4)) == 2


@pytest.mark.parametrize("oldest", [5, None], ids=["cleaned up", "turned off"])
def test_changes_that_are_forgotten_while_they_are_read_are_read_otherwise(
    oldest: int | None,
) -> None:
    """The next try finds that they are, and goes on from the watermark."""
    with pytest.raises(TransientError, match="forgotten while they were read"):
        read(database(2, oldest))


def test_a_snapshot_keeps_what_the_server_forgets() -> None:
    assert read(database(2, has_snapshots=True)) == 2


def test_a_read_only_copy_is_not_asked_for_its_changes() -> None:
    """A secondary replica answers with error 22117."""
    server = database(is_read_only=True)
    assert read(server) == 2
    (asked,) = [said for said in server.said if "sys.change_tracking_tables" in said]
    assert "'Updateability'" in asked


def test_a_read_only_copy_has_no_cursor_of_rowversions() -> None:
    """It doesn't know what is under way where rows are written: those would be overtaken."""
    server = database(is_read_only=True, cursor="v")
    with pytest.raises(ExtractError, match="would lose rows"):
        read(server)
    assert "'Updateability'" in server.said[0]
