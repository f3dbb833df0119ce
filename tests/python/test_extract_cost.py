"""What a run costs: memory that does not grow with the table, reads that follow what changed."""

from __future__ import annotations

from extraction_support import Shop, cursor_spec


def _peak_memory(shop: Shop) -> float:
    """Extracts in a process of its own; its peak memory in MiB."""
    ended = shop.extract_elsewhere(cursor_spec())
    assert ended is not None
    return float(ended["peak_mib"])


def test_memory_does_not_grow_with_the_table(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id int primary key, body text, updated_at timestamptz);"
        "alter table item alter column body set storage external;"
        "insert into item select i, repeat('x', 1000), now() from generate_series(1, 1000) as i"
    )
    small = _peak_memory(shop)
    shop.source.execute(
        "insert into item select i, repeat('x', 1000), now() "
        "from generate_series(1001, 200000) as i"
    )
    large = _peak_memory(shop)
    assert shop.warehouse.scalar("select count(*) from landing_shop.item") >= 200_000
    assert large < small + 20, f"{small:.0f} MiB for 1 MB of rows, {large:.0f} MiB for 200 MB"
    assert large < 100


def test_a_cursor_run_reads_by_the_index_and_bronze_finds_its_batch(shop: Shop) -> None:
    shop.source.execute(
        "create table item (id int primary key, body text, updated_at timestamptz not null);"
        "insert into item select i, repeat('x', 200), timestamptz '2026-01-01' + i * interval '1 s'"
        " from generate_series(1, 50000) as i;"
        "create index on item (updated_at); analyze item"
    )
    shop.load(cursor_spec())
    shop.source.execute("update item set updated_at = now() where id <= 10")
    before = _blocks_read(shop)
    assert shop.load(cursor_spec()).rows == 10
    read = _blocks_read(shop) - before
    total = shop.source.scalar("select relpages from pg_class where relname = 'item'")
    assert read < total / 5, f"{read} of {total} blocks were read for 10 rows"
    shop.warehouse.execute("analyze landing_shop.item")
    first = shop.warehouse.scalar("select min(_batch_id) from landing_shop.item")
    plan = shop.warehouse.query(
        f"explain select * from landing_shop.item where _batch_id > {first}"
    )
    assert any("Bitmap Index Scan" in line for (line,) in plan), plan


def _blocks_read(shop: Shop) -> int:
    shop.source.execute("select pg_stat_force_next_flush()")
    return int(
        shop.source.scalar(
            "select heap_blks_read + heap_blks_hit from pg_statio_user_tables "
            "where relname = 'item'"
        )
    )
