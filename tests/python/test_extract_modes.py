"""What lands, run after run, in each mode."""

from __future__ import annotations

import threading
import time

import pytest

from extraction.engines import open_writer
from extraction_support import Shop, cursor_spec, spec
from warehouses import ON_EITHER

ITEMS = """
    create table item (id int primary key, name text, updated_at timestamptz);
    insert into item select i, 'item ' || i, timestamptz '2026-01-01' + i * interval '1 minute'
    from generate_series(1, 100) as i
"""


@pytest.fixture
def items(shop: Shop) -> Shop:
    shop.source.execute(ITEMS)
    return shop


def test_full_replaces_and_keeps_what_is_granted(items: Shop) -> None:
    role = f"reader_{items.warehouse.name}"
    items.load(spec())
    items.warehouse.execute(
        f'create role "{role}"; grant select on landing_shop.item to "{role}";'
        f'grant update (name) on landing_shop.item to "{role}"'
    )
    items.source.execute(
        "delete from item where id > 10; update item set name = 'new' where id = 1"
    )
    result = items.load(spec())
    granted = items.warehouse.query(
        f"select has_table_privilege('{role}', 'landing_shop.item', 'select'), "
        f"has_column_privilege('{role}', 'landing_shop.item', 'name', 'update'), "
        f"has_column_privilege('{role}', 'landing_shop.item', 'id', 'update')"
    )
    items.warehouse.execute(f'drop owned by "{role}"; drop role "{role}"')
    assert result.rows == 10
    assert items.landed(spec(), "name")[0] == ("item 10",)
    assert ("new",) in items.landed(spec(), "name")
    assert granted == [(True, True, False)]


@ON_EITHER
def test_full_leaves_landing_alone_while_nothing_changes(items: Shop) -> None:
    batch = "select distinct _batch_id from landing_shop.item"
    items.load(spec())
    first = items.warehouse.scalar(batch)
    assert items.load(spec()).rows == 0
    assert items.warehouse.scalar(batch) == first
    items.source.execute("update item set name = name || '!' where id = 1")
    assert items.load(spec()).rows == 100
    items.source.execute("alter table item add column color text")
    assert items.load(spec()).rows == 100, "a new column lands, null as it is"
    items.warehouse.execute("delete from landing_shop.item where id = 1")
    assert items.load(spec()).rows == 100, "landing lost a row"
    items.source.execute("delete from item")
    emptied = items.load(spec())
    assert (emptied.rows, emptied.deleted) == (0, 100), "an emptied table has changed"
    again = items.load(spec())
    assert (again.rows, again.deleted) == (0, 0)


@ON_EITHER
def test_full_with_soft_deletes_keeps_and_flags(items: Shop) -> None:
    table = spec(deletes="soft", primary_key=("id",))
    items.load(table)
    items.source.execute("delete from item where id <= 3")
    assert items.load(table).deleted == 3
    assert items.load(table).deleted == 0, "flagged once"
    flagged = "select count(*), count(_deleted_at), min(name) from landing_shop.item"
    assert items.warehouse.query(flagged) == [(100, 3, "item 1")]
    items.source.execute("insert into item values (2, 'back', now())")
    items.load(table)
    assert items.warehouse.query(flagged)[0][:2] == (100, 2)
    assert items.current(table, "name")[1] != ("item 2",)


@ON_EITHER
def test_cursor_lands_only_what_changed(items: Shop) -> None:
    assert items.load(cursor_spec()).rows == 100
    assert items.load(cursor_spec()).rows == 0
    items.source.execute("update item set name = 'new', updated_at = now() where id in (3, 4)")
    assert items.load(cursor_spec()).rows == 2
    assert items.load(cursor_spec()).rows == 0
    assert items.current(cursor_spec(), "id, name") == items.source.query(
        "select id, name from item order by id"
    )


@ON_EITHER
def test_rows_at_the_watermark_are_never_lost(items: Shop) -> None:
    items.load(cursor_spec())
    items.source.execute("insert into item select 101, 'tie', max(updated_at) from item")
    items.load(cursor_spec())
    assert (101,) in items.current(cursor_spec(), "id")
    items.source.execute("update item set name = 'changed tie' where id = 101")
    items.load(cursor_spec())
    assert ("changed tie",) in items.current(cursor_spec(), "name")


@ON_EITHER
def test_a_row_committed_late_arrives_within_the_lookback(items: Shop) -> None:
    table = cursor_spec(lookback="30 minutes")
    items.load(table)
    items.source.execute(
        "insert into item select 101, 'late', max(updated_at) - interval '20 minutes' from item"
    )
    items.load(table)
    assert (101,) in items.current(table, "id")
    assert items.load(table).rows == 0, "an unchanged lookback is not read again"


def test_rows_without_a_finite_cursor_are_never_lost(items: Shop) -> None:
    items.source.execute(
        "insert into item values (101, 'null', null), (102, 'future', 'infinity'), "
        "(103, 'past', '-infinity'), (105, 'a sentinel', '9999-12-31')"
    )
    items.load(cursor_spec())
    assert items.load(cursor_spec()).rows == 0
    items.source.execute("update item set name = 'changed' where id > 100")
    items.source.execute("insert into item values (104, 'null too', null)")
    items.source.execute("insert into item values (106, 'usual', '2026-01-01 01:40+00')")
    items.load(cursor_spec())
    assert items.current(cursor_spec(), "id, name") == items.source.query(
        "select id, name from item order by id"
    )
    assert items.load(cursor_spec()).cursor_to == "2026-01-01 01:40:00+00"


@ON_EITHER
@pytest.mark.parametrize(
    ("type_", "first", "then"),
    [
        ("int", "9", "10"),
        ("numeric", "9.5", "10.5"),
        ("date", "'2026-01-01'", "'2026-01-02'"),
        ("text", "'a'", "'b'"),
        (
            "uuid",
            "'6f8f0e3c-0000-7000-8000-000000000001'",
            "'7f8f0e3c-0000-7000-8000-000000000001'",
        ),
    ],
)
def test_any_ordered_type_can_be_the_cursor(shop: Shop, type_: str, first: str, then: str) -> None:
    shop.source.execute(
        f"create table item (id int, version {type_}); insert into item values (1, {first})"
    )
    table = cursor_spec(cursor="version", lookback=None)
    assert shop.load(table).rows == 1
    shop.source.execute(f"insert into item values (2, {then})")
    shop.load(table)
    assert shop.current(table, "id") == [(1,), (2,)]


@ON_EITHER
def test_since_and_full_refresh_read_again_and_change_nothing(items: Shop) -> None:
    items.load(cursor_spec())
    before = items.current(cursor_spec(), "id, name")
    assert items.load(cursor_spec(), since="2026-01-01 01:31:00+00").rows == 10
    assert items.load(cursor_spec(), full_refresh=True).rows == 100
    assert items.current(cursor_spec(), "id, name") == before
    assert items.load(cursor_spec()).rows == 0


@ON_EITHER
def test_since_reads_no_less_than_a_run_without_it(items: Shop) -> None:
    table = cursor_spec(lookback="1 hour")
    items.load(table)
    items.source.execute(
        "insert into item values (101, 'late', '2026-01-01 00:50+00'), "
        "(102, 'skipped', '2026-02-01'), (103, 'asked for', '2026-03-01')"
    )
    items.load(table, since="2026-03-01")
    items.load(table)
    assert items.current(table, "id, name") == items.source.query(
        "select id, name from item order by id"
    )


@ON_EITHER
def test_a_landing_table_that_was_dropped_is_filled_again(items: Shop) -> None:
    items.load(cursor_spec())
    items.warehouse.execute("drop table landing_shop.item")
    assert items.load(cursor_spec()).rows == 100


@ON_EITHER
def test_from_cursor_to_full_one_row_stays_of_each_deleted_key(items: Shop) -> None:
    items.load(cursor_spec())
    items.source.execute("update item set name = 'newest', updated_at = now() where id = 5")
    items.load(cursor_spec())
    items.source.execute("delete from item where id = 5")
    table = spec(deletes="soft", primary_key=("id",))
    assert items.load(table).deleted == 1
    assert items.warehouse.query("select name from landing_shop.item where id = 5") == [("newest",)]


def test_a_table_may_be_named_like_the_index_of_another(items: Shop) -> None:
    items.source.execute("create table item_batches as table item")
    for _ in range(2):
        items.load(cursor_spec())
        items.load(cursor_spec("item_batches"))
    indexes = "select count(*) from pg_indexes where schemaname = 'landing_shop'"
    assert items.warehouse.scalar(indexes) == 2, "one for each"


def test_a_since_that_is_no_value_of_the_cursor_is_refused(items: Shop) -> None:
    assert "yesterdayish" in items.fail(cursor_spec(), since="yesterdayish")


@ON_EITHER
def test_a_source_set_back_in_time_is_reported(items: Shop) -> None:
    items.load(cursor_spec())
    items.source.execute("delete from item where id > 50")
    result = items.load(cursor_spec())
    assert "restored" in result.warnings[0]
    assert result.cursor_to == "2026-01-01 01:40:00+00", "the watermark never goes back"


@ON_EITHER
def test_soft_deletes_are_flagged_and_unflagged(items: Shop) -> None:
    table = cursor_spec(deletes="soft")
    items.load(table)
    items.source.execute("create table gone as select * from item where id in (5, 6)")
    items.source.execute("delete from item where id in (5, 6)")
    assert items.load(table).deleted == 2
    assert items.load(table).deleted == 0, "flagged once"
    assert (5,) not in items.current(table, "id")
    # One returns with its old cursor value, another with a new one.
    items.source.execute(
        "insert into item select id, 'back', "
        "case id when 5 then updated_at else now() end from gone"
    )
    result = items.load(table)
    assert (result.rows, result.restored) == (1, 1)
    assert items.current(table, "id, name") == items.source.query(
        "select id, name from item order by id"
    )
    assert items.load(table).restored == 0, "unflagged once"
    items.source.execute("delete from item where id = 5")
    assert items.load(table).deleted == 1, "and flagged again"


@ON_EITHER
def test_comparing_keys_also_finds_rows_that_came_too_late_for_the_lookback(items: Shop) -> None:
    table = cursor_spec(deletes="soft")
    items.load(table)
    items.source.execute("insert into item values (101, 'very late', '2020-01-01')")
    result = items.load(table)
    assert (result.rows, result.restored) == (1, 0)
    assert (101, "very late") in items.current(table, "id, name")
    assert items.load(table).rows == 0


@ON_EITHER
def test_more_keys_return_and_come_late_than_one_query_names(items: Shop) -> None:
    table = cursor_spec(deletes="soft")
    many = "insert into item select i, 'item', '2025-01-01' from generate_series(200, 25199) as i"
    items.source.execute(many)
    assert items.load(table, since="2026-01-01").rows == 25_100
    items.source.execute("delete from item where id >= 200")
    assert items.load(table).deleted == 25_000
    items.source.execute(many)
    assert items.load(table).restored == 25_000
    assert len(items.current(table, "id")) == 25_100


@ON_EITHER
def test_soft_deletes_work_on_composite_and_textual_keys(shop: Shop) -> None:
    shop.source.execute(
        "create type kind as enum ('k');"
        "create table item (a text, b date, c kind default 'k', updated_at timestamptz);"
        "insert into item (a, b, updated_at) "
        "values ('é''\"\\', '2026-01-01', now()), ('x', '2026-01-01', now())"
    )
    table = cursor_spec(deletes="soft", primary_key=("a", "b", "c"))
    shop.load(table)
    shop.source.execute("create table gone as select * from item; delete from item")
    assert shop.load(table).deleted == 2
    shop.source.execute("insert into item select * from gone")
    result = shop.load(table)
    assert result.rows + result.restored == 2
    assert len(shop.current(table, "a")) == 2


@ON_EITHER
@pytest.mark.parametrize("mode", ["full", "cursor"])
def test_a_key_that_is_null_is_refused(items: Shop, mode: str) -> None:
    items.source.execute("update item set name = null where id = 1")
    new = cursor_spec if mode == "cursor" else spec
    table = new(primary_key=("id", "name"), deletes="soft")
    error = items.fail(table)
    assert "primary_key (id, name) is null" in error
    items.source.execute("update item set name = 'mended' where id = 1")
    items.load(table)


@pytest.mark.parametrize("quoted", ["DETAIL", "CONTEXT"])
def test_what_is_recorded_of_a_failure_has_no_data(items: Shop, quoted: str) -> None:
    items.load(cursor_spec())
    items.warehouse.execute(
        "alter table landing_shop.item add check (name <> 'canary')"
        if quoted == "DETAIL"
        else "create function landing_shop.refuse() returns trigger language plpgsql as "
        "$$ begin perform new.name::int; return new; end $$; create trigger refuse before insert "
        "on landing_shop.item for each row execute function landing_shop.refuse()"
    )
    items.source.execute("insert into item values (101, 'canary', '2026-01-02')")
    error = items.fail(cursor_spec())
    assert "canary" in error
    assert quoted in error, "who runs it can look"
    recorded = items.warehouse.scalar("select error from ops.extract_batches where batch_id = 2")
    assert recorded.startswith("warehouse: ")
    assert "canary" not in recorded


def test_a_run_records_its_batches(items: Shop) -> None:
    items.load(cursor_spec())
    items.load(cursor_spec())
    rows = items.warehouse.query(
        "select mode, status, rows_loaded, cursor_from, cursor_to, finished_at >= started_at "
        "from ops.extract_batches order by batch_id"
    )
    last = "2026-01-01 01:40:00+00"
    assert rows == [
        ("cursor", "loaded", 100, None, last, True),
        ("cursor", "loaded", 0, last, last, True),
    ]


@ON_EITHER
def test_what_killed_runs_left_running_is_abandoned_by_the_next(items: Shop) -> None:
    """Tables that are declared no more included, and not one that somebody loads just now."""
    items.load(spec())
    items.warehouse.execute(
        "insert into ops.extract_batches (run_id, source_name, table_name, mode, status) values "
        "('r', 'gone', 'item', 'full', 'running'), ('r', 'shop', 'busy', 'full', 'running')"
    )
    other = open_writer(items.warehouse.url, wait=0)
    other.lock(spec("busy"))
    items.load(spec())
    assert items.batches("busy") == ["running"]
    assert items.batches() == ["loaded", "abandoned", "loaded"]
    other.close()
    items.load(spec())
    assert items.batches("busy") == ["abandoned"]


def test_planning_changes_nothing(items: Shop) -> None:
    (plan,) = items.plan(cursor_spec())
    assert plan.error is None
    assert plan.window is not None
    assert plan.window.cursor_to == "2026-01-01 01:40:00+00"
    schemas = items.warehouse.query("select nspname from pg_namespace")
    assert not {("ops",), ("landing_shop",)} & set(schemas)


@ON_EITHER
def test_one_table_failing_does_not_stop_the_others(items: Shop) -> None:
    bad, good = items.extract(spec("nothing_here"), spec())
    assert "no table public.nothing_here" in str(bad.error)
    assert "no table nowhere.item" in items.fail(spec(from_=("nowhere", "item")))
    assert "public.item" in str(bad.error), "the message names what is there"
    assert (good.status, good.rows) == ("loaded", 100)


def test_a_full_load_waits_for_readers_without_stopping_new_ones(items: Shop) -> None:
    items.load(spec())
    items.source.execute("update item set name = 'new' where id = 1")
    finished = threading.Event()
    with items.warehouse.connect() as reader, reader.cursor() as cursor:
        cursor.execute("begin; select count(*) from landing_shop.item")

        def load() -> None:
            items.load(spec())
            finished.set()

        thread = threading.Thread(target=load)
        thread.start()
        slowest = 0.0
        for _ in range(20):
            started = time.monotonic()
            items.warehouse.query("select count(*) from landing_shop.item")
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.05)
        assert not finished.is_set(), "the table was replaced under a reader"
        cursor.execute("select count(*) from landing_shop.item; commit")
    thread.join(20)
    assert finished.is_set()
    assert slowest < 2, f"a reader waited {slowest:.1f} s behind the load"


def test_a_table_that_never_gets_free_is_said_to_be_in_use(
    items: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extraction.postgres.writer.READERS_TIMEOUT", 0.1)
    items.load(spec())
    items.source.execute("update item set name = 'new' where id = 1")
    with items.warehouse.connect() as reader, reader.cursor() as cursor:
        cursor.execute("begin; select count(*) from landing_shop.item")
        error = items.fail(spec())
    assert "in use" in error
    assert "pg_stat_activity" in error


def test_a_notice_from_the_warehouse_is_no_failure(items: Shop) -> None:
    items.load(cursor_spec())
    items.warehouse.execute(
        "create function tell() returns trigger language plpgsql as "
        "'begin raise notice ''%%'', repeat(''x'', 9000); return new; end';"
        "create trigger tell before insert on landing_shop.item "
        "for each row execute function tell()",
        [],
    )
    assert items.load(cursor_spec(), full_refresh=True).rows == 100


def test_what_is_built_on_a_replaced_table_is_named(items: Shop) -> None:
    items.load(spec())
    items.warehouse.execute("create view report as select * from landing_shop.item")
    items.source.execute("update item set name = 'new' where id = 1")
    error = items.fail(spec())
    assert "report" in error
    assert "bronze" in error
    assert items.warehouse.scalar("select count(*) from report") == 100
