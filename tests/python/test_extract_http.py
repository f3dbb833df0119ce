"""Extraction from an item API: what is read again, what lands, and what goes wrong on the way."""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from databases import Database
from extraction.http.client import JsonClient
from extraction.http.settings import HttpSettings
from extraction.spec import TableSpec
from extraction_support import Shop, cursor_spec
from item_api import (
    FaultyHandler,
    Items,
    drips,
    item_api,
    reset,
    says,
    slow,
    status,
    truncated,
)
from warehouses import ON_EITHER

SETTINGS = HttpSettings(
    first_load=1000, requests_per_second=5000, timeout=1, attempts=4, concurrency=4
)
COLUMNS = {
    "id": "bigint",
    "time": "bigint",
    "title": "string",
    "kids": "string",
    "score": "integer",
    "dead": "boolean",
}


@pytest.fixture
def items(source: Database) -> Iterator[Items]:
    with item_api(source) as api:
        yield api


@pytest.fixture
def shop(source: Database, warehouse: Database, items: Items) -> Shop:
    return Shop(source, warehouse, items.url)


def spec(http: dict[str, Any] | None = None, **changes: Any) -> TableSpec:  # noqa: ANN401
    defaults: dict[str, Any] = {
        "kind": "http",
        "from_": ("item",),
        "cursor": "id",
        "lookback": "0",
        "deletes": "soft",
        "columns": COLUMNS,
        "http": replace(SETTINGS, **(http or {})),
    }
    return cursor_spec(**{**defaults, **changes})


ITEM = spec()


# ------------------------------------------------------------------ what lands


def test_items_land_typed_and_null_ids_do_not(shop: Shop, items: Items) -> None:
    items.put(1, title="a\tb\0 \ud83d c\\u0000 é 🙂", score=3, kids=[4, 5], dead=True)
    items.put(3, title="", score=None)
    assert shop.load(ITEM).rows == 2
    assert shop.landed(ITEM, "id, time, title, kids, score, dead") == [
        (1, 1, "a\tb\N{REPLACEMENT CHARACTER} ? c\\u0000 é 🙂", "[4,5]", 3, True),
        (3, 3, "", None, None, None),
    ]
    types = shop.warehouse.query(
        "select attname, atttypid::regtype::text from pg_attribute "
        "where attrelid = 'landing_shop.item'::regclass and attnum > 0 and attname !~ '^_'"
    )
    assert dict(types) == {
        **{"id": "bigint", "time": "bigint", "title": "text", "kids": "text"},
        **{"score": "integer", "dead": "boolean"},
    }


def test_the_first_run_reads_the_most_recent_items(shop: Shop, items: Items) -> None:
    items.put_many(1, 50)
    result = shop.load(spec({"first_load": 10}))
    assert (result.rows, result.cursor_to) == (10, "50")
    assert [id_ for (id_,) in shop.landed(ITEM, "id")] == list(range(41, 51))


@ON_EITHER
def test_a_run_reads_new_items_and_lands_nothing_twice(shop: Shop, items: Items) -> None:
    items.put_many(1, 20)
    table = spec(lookback="5")
    shop.load(table)
    items.put_many(21, 23)
    items.forget()
    assert shop.load(table).rows == 3
    assert items.asked["/item/16.json"] == 1
    assert items.asked["/item/15.json"] == 0
    assert shop.load(table).rows == 0
    assert len(shop.landed(table)) == 23


@ON_EITHER
def test_edits_of_what_was_young_at_the_last_read_land(shop: Shop, items: Items) -> None:
    items.put_many(1, 2000)
    table = spec({"reread": 300, "created_field": "time", "first_load": 2000})
    shop.load(table)
    items.put_many(2001, 5000)  # nobody looked for a long time
    items.put(1701, 1900, 2500, score=7)
    items.put(1699, score=7)
    items.forget()
    assert shop.load(table).rows == 3000 + 2
    assert items.asked["/item/1500.json"] <= 1
    assert sum(items.asked.values()) < 3300 + 60, "few requests find where the young begin"
    edited = "select id from landing_shop.item where score = 7 order by 1"
    assert shop.warehouse.query(edited) == [(1701,), (1900,), (2500,)]


def test_gaps_do_not_hide_where_the_young_begin(shop: Shop, items: Items) -> None:
    items.put_many(1, 400)
    items.take_away(*range(290, 310), 399)
    table = spec({"reread": 100, "created_field": "time"})
    shop.load(table)
    items.put(300, 301, 399, score=7)
    assert shop.load(table).rows == 3


@ON_EITHER
def test_a_late_item_lands_within_the_lookback(shop: Shop, items: Items) -> None:
    items.put(1, 2, 5)
    table = spec(lookback="4")
    shop.load(table)
    items.put(3)
    assert shop.load(table).rows == 1
    assert shop.current(table, "id") == [(1,), (2,), (3,), (5,)]


def test_the_watermark_stops_before_items_that_are_not_there_yet(shop: Shop, items: Items) -> None:
    items.put(1, 2, 3)
    items.newest(6)
    assert shop.load(ITEM).cursor_to == "3"
    items.put(4, 5, 6)
    assert shop.load(ITEM).rows == 3
    assert shop.load(ITEM).cursor_to == "6"


@ON_EITHER
def test_an_api_without_items_is_no_error(shop: Shop, items: Items) -> None:
    assert shop.load(ITEM).cursor_to is None
    items.put(1)
    assert shop.load(ITEM).rows == 1


@ON_EITHER
def test_items_that_go_are_flagged_until_they_return(shop: Shop, items: Items) -> None:
    items.put(1, 2, 3, 4)
    table = spec(lookback="3")
    shop.load(table)
    items.take_away(1, 2, 4)
    result = shop.load(table)
    assert (result.rows, result.deleted) == (0, 2), "1 is older than what is read again"
    assert shop.current(table, "id") == [(1,), (3,)]
    assert shop.load(table).deleted == 0
    items.put(2)
    result = shop.load(table)
    assert (result.rows, result.restored) == (0, 1)
    assert shop.current(table, "id") == [(1,), (2,), (3,)]
    assert shop.load(spec(lookback="3", deletes="none")).deleted == 0


@ON_EITHER
def test_since_and_full_refresh_read_more(shop: Shop, items: Items) -> None:
    items.put_many(1, 100)
    table = spec({"first_load": 10})
    shop.load(table)
    assert shop.load(table, since="81").rows == 10
    items.put(95, score=1)
    assert shop.load(table, full_refresh=True).rows == 1
    assert "a whole number" in shop.fail(table, since="yesterday")


def test_the_plan_reads_no_items_but_one(shop: Shop, items: Items) -> None:
    items.put_many(1, 100)
    (plan,) = shop.plan(ITEM)
    assert plan.window
    assert (plan.rows, plan.window.cursor_to) == (100, "100")
    assert sum(items.asked.values()) == 2
    assert shop.warehouse.scalar("select to_regclass('landing_shop.item')") is None


def test_an_api_that_began_anew_is_told(shop: Shop, items: Items) -> None:
    items.put(50)
    shop.load(ITEM)
    items.take_away(50)
    items.database.execute("select setval('item_id_seq', 3)")
    items.put(3)
    (warning,) = shop.load(spec(deletes="none")).warnings
    assert "below the last batch's, 50" in warning
    assert shop.batches() == ["loaded", "loaded"]


# ------------------------------------------------------------------ fields that come and go


@ON_EITHER
def test_a_new_field_is_added_as_text(shop: Shop, items: Items) -> None:
    items.put(1, 2)
    shop.load(ITEM)
    items.put(3, newField={"a": 1}, parts=7)
    result = shop.load(ITEM)
    text = "text" if isinstance(shop.warehouse, Database) else "varchar(max)"
    assert result.changes == [f"new_field added as {text}", f"parts added as {text}"]
    assert shop.landed(ITEM, "id, new_field, parts")[-1] == (3, '{"a":1}', "7")
    assert shop.load(spec(columns={**COLUMNS, "parts": "string", "new_field": "string"})).rows == 0


@ON_EITHER
def test_a_new_field_stops_a_frozen_table_and_is_ignored_on_demand(
    shop: Shop, items: Items
) -> None:
    items.put(1)
    shop.load(ITEM)
    items.put(2, parts=7)
    assert "parts added as" in shop.fail(spec(schema_drift="freeze"))
    result = shop.load(spec(schema_drift="ignore"))
    assert (result.rows, result.changes) == (1, ["parts is new at the source, ignored"])


@ON_EITHER
def test_an_excluded_field_never_lands_and_a_renamed_one_does(shop: Shop, items: Items) -> None:
    items.put(1, title="x", mail="y")
    table = spec(
        rename={"title": "headline"},
        exclude=frozenset({"mail"}),
        columns={"id": "bigint", "time": "bigint", "headline": "string"},
    )
    assert shop.load(table).changes == []
    assert shop.landed(table, "id, headline") == [(1, "x")]


@ON_EITHER
def test_a_value_of_another_type_names_the_item_and_the_field(shop: Shop, items: Items) -> None:
    items.put(1, 2)
    shop.load(ITEM)
    items.put(3, score="many")
    error = shop.fail(ITEM)
    assert "item/3.json: score is no integer, as the YAML declares it" in error
    assert 'DETAIL: "many"' in error
    (recorded,) = shop.warehouse.query("select error from ops.extract_batches order by batch_id")[1]
    assert "score is no integer" in recorded
    assert "many" not in recorded, "no data in ops"
    assert len(shop.landed(ITEM)) == 2


# ------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(status(500), id="500"),
        pytest.param(status(503), id="503"),
        pytest.param(status(429), id="429"),
        pytest.param(says("<html>busy</html>"), id="not JSON"),
        pytest.param(says('{"id": 2'), id="half a document"),
        pytest.param(says('{"id": 2, "score": NaN}'), id="NaN"),
        pytest.param(says("[" * 100_000), id="deep"),
        pytest.param(truncated, id="cut"),
        pytest.param(reset, id="reset"),
        pytest.param(slow(1.5), id="slow"),
        pytest.param(drips(0.3), id="drips"),
    ],
)
def test_what_may_pass_is_tried_again(
    shop: Shop, items: Items, fault: Callable[[FaultyHandler], None]
) -> None:
    items.put(1, 2, 3)
    items.fail("/item/2.json", fault, fault)
    assert shop.load(ITEM).rows == 3
    assert items.asked["/item/2.json"] == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(500), "item/2.json: HTTP 500 Internal Server Error (tried 4 times)"),
        (
            says("<html>busy</html>"),
            "item/2.json: the answer is not JSON. DETAIL: b'<html>busy</html>'",
        ),
        (reset, "item/2.json: ProtocolError"),
    ],
)
def test_retries_end_with_an_error_that_names_the_path(
    shop: Shop, items: Items, fault: Callable[[FaultyHandler], None], words: str
) -> None:
    items.put(1)
    shop.load(ITEM)
    items.put(2)
    items.fail("/item/2.json", *[fault] * 20)
    error = shop.fail(ITEM)
    assert words in error
    assert items.asked["/item/2.json"] == SETTINGS.attempts
    assert items.url not in error
    assert shop.batches() == ["loaded", "failed"]
    items.faults.clear()
    assert shop.load(ITEM).rows == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(404), "HTTP 404 Not Found: check the URL"),
        (status(403), "HTTP 403 Forbidden"),
        (status(302, Location="http://127.0.0.1:1/"), "HTTP 302 Found, it points elsewhere"),
        (status(429, Retry_After="4000"), "come back in 4000 seconds"),
        (says("[]"), "the answer is not the item 2. DETAIL: []"),
        (says('{"id": 3}'), "the answer is not the item 2"),
        (says(" " * 2_000_000), "larger than `max_response_bytes` (1,048,576)"),
    ],
)
def test_what_will_not_pass_fails_at_once(
    shop: Shop, items: Items, fault: Callable[[FaultyHandler], None], words: str
) -> None:
    items.put(1, 2, 3)
    items.fail("/item/2.json", *[fault] * 5)
    assert words in shop.fail(ITEM)
    assert items.asked["/item/2.json"] == 1
    assert shop.warehouse.scalar("select to_regclass('landing_shop.item')") is None


@pytest.mark.parametrize("form", ["seconds", "date", "date without zone"])
def test_retry_after_holds_all_requests(shop: Shop, items: Items, form: str) -> None:
    items.put_many(1, 40)
    after = "1" if form == "seconds" else formatdate(time.time() + 2.5, usegmt=form == "date")
    items.fail("*", fine, status(429, Retry_After=after))
    assert shop.load(ITEM).rows == 40
    gaps = [b - a for a, b in zip(items.asked_at, items.asked_at[1:], strict=False)]
    assert max(gaps) > 0.9, "nobody asked while the server wanted rest"


def fine(handler: FaultyHandler) -> None:
    super(FaultyHandler, handler).do_GET()


def test_a_maximum_that_is_no_id_and_an_api_that_is_not_there(shop: Shop, items: Items) -> None:
    items.fail("/maxitem.json", says('"soon"'))
    assert 'maxitem.json: the answer is not an id. DETAIL: "soon"' in shop.fail(ITEM)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        elsewhere = Shop(
            shop.source, shop.warehouse, f"http://me:secret@127.0.0.1:{unused.getsockname()[1]}/v0"
        )
        error = elsewhere.fail(ITEM, wait=0.1)
    assert "maxitem.json: NewConnectionError" in error
    assert "secret" not in error


@pytest.mark.parametrize("password", ["can/ary", "12/canary", "12?canary", "12#canary"])
def test_a_password_that_ends_the_url_early_is_in_no_message(
    shop: Shop, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://me:{password}@127.0.0.1/v0"
    errors = [Shop(shop.source, shop.warehouse, url).fail(ITEM, wait=0)]
    errors += [text for (text,) in shop.warehouse.query("select error from ops.extract_batches")]
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("no_proxy", "")
    errors.append(shop.fail(ITEM, wait=0))
    assert ["is not an HTTP URL" in error for error in errors] == [True] * 3
    assert "HTTP_PROXY" in errors[-1]
    assert not [error for error in errors if "me:" in error or "can" in error or "ary" in error]


def test_a_password_is_sent_as_it_is_to_the_api_and_to_a_proxy(
    shop: Shop, items: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    items.put(1)
    shop.url = items.url.replace("://", "://me:p%40ss%2F@")
    assert shop.load(ITEM).rows == 1
    assert items.headers["Authorization"] == f"Basic {b64encode(b'me:p@ss/').decode()}"
    monkeypatch.setenv("http_proxy", items.url.replace("://", "://you:p%3Ass@"))
    monkeypatch.setenv("no_proxy", "")
    items.fail("*", says("1"))
    reader = JsonClient("shop", "http://api.example.com", SETTINGS)
    assert reader.get("maxitem.json") == 1
    assert items.headers["Proxy-Authorization"] == f"Basic {b64encode(b'you:p:ss').decode()}"


def test_an_api_that_is_starting_is_waited_for(shop: Shop, items: Items) -> None:
    items.put(1)
    items.fail("/maxitem.json", *[status(503)] * 6)
    assert shop.load(ITEM, wait=60).rows == 1


# ------------------------------------------------------------------ limits


def test_concurrency_is_used_and_limited_and_connections_are_kept(shop: Shop, items: Items) -> None:
    items.put_many(1, 60)
    items.fail("*", *[slow(0.05)] * 100)
    shop.load(spec({"concurrency": 5}))
    assert 3 <= items.most_at_once <= 5
    assert items.connections <= 6


def test_requests_keep_their_pace(shop: Shop, items: Items) -> None:
    items.put_many(1, 60)
    shop.load(spec({"requests_per_second": 50, "concurrency": 8}))
    seconds = items.asked_at[-1] - items.asked_at[0]
    assert seconds >= (len(items.asked_at) - 1) / 50 * 0.95
    for start in items.asked_at:
        in_a_second = sum(start <= at < start + 1 for at in items.asked_at)
        assert in_a_second <= 50 * 1.2


def test_memory_does_not_grow_with_the_items(shop: Shop, items: Items) -> None:
    peaks = []
    for last in (200, 6000):
        items.put_many(1 if last == 200 else 201, last)
        ended = shop.extract_elsewhere(spec({"first_load": 10_000, "timeout": 10}))
        assert ended
        assert ended["status"] == "loaded", ended
        peaks.append(float(ended["peak_mib"]))
    assert shop.warehouse.scalar("select count(*) from landing_shop.item") == 6000
    assert peaks[1] < peaks[0] + 12, peaks


# ------------------------------------------------------------------ pulled plugs


@pytest.mark.parametrize("fault", ["kill", "drop", "lost-answer"])
def test_a_run_may_die_anywhere(shop: Shop, items: Items, fault: str) -> None:
    """Old state or new state, and a rerun that is right, whichever statement is the last."""
    items.put_many(1, 30)
    table = spec(lookback="500")
    shop.load(table)
    items.put(31, newfield="x")
    items.put(20, score=1)
    items.take_away(25)
    whole = shop.extract_elsewhere(table)
    assert whole
    assert whole["status"] == "loaded"
    tried = range(1, whole["statements"] + 1, 1 if fault == "kill" else 3)
    for at in tried:
        items.put(31 + at, score=at, **{f"field_{at}": "x"})
        items.put(20, score=100 + at)
        shop.extract_elsewhere(table, fault, at)
        seen = shop.current(table, "id, score")
        is_new = (31 + at, at) in seen
        assert is_new == ((20, 100 + at) in seen), f"statement {at}: half a batch is visible"
        shop.load(table)
        assert {(31 + at, at), (20, 100 + at)} <= set(shop.current(table, "id, score"))
        twice = "select id, _batch_id from landing_shop.item group by 1, 2 having count(*) > 1"
        assert shop.warehouse.query(twice) == []
    expected = {*range(1, 32), *(31 + at for at in tried)} - {25}
    assert {id_ for (id_,) in shop.current(table, "id")} == expected
