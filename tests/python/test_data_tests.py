"""What data tests find: rows of a few columns, made by hand where the models would be."""

from __future__ import annotations

import json
from pathlib import Path

from commands import dbt
from databases import Database

GONE, THERE = "timestamp '2026-01-01'", "null::timestamp"
# Claim -> the rows that it reads, and how many of them break it.
CLAIMS = {
    # what is gone from the source breaks no rule, in staging and in a dimension
    "no_payment_is_below_zero": (
        "stg_pagila__payments",
        f"select -5 as amount, {GONE} as deleted_at, 1 as _batch_id union all"
        f" select -5, {THERE}, 1",
        1,
    ),
    "no_two_product_categories_share_a_name": (
        "stg_adventureworks__product_categories",
        f"select 'Bikes' as product_category_name, {GONE} as deleted_at union all"
        f" select 'Bikes', {THERE}",
        0,
    ),
    "no_storefront_payment_is_entered_twice": (
        "stg_storefront__transactions",
        "select 1 as customer_id, 'Sale' as transaction_type, 5 as amount,"
        f" 1 as transacted_at, {THERE} as deleted_at, 1 as _batch_id"
        f" from generate_series(1, 2) union all select 2, 'Sale', 5, 1, {THERE}, 1"
        f" union all select 2, 'Sale', 5, 1, {GONE}, 1",
        1,
    ),
    "territories_are_on_known_parts_of_the_world": (
        "dim_territory",
        "select 'Asia' as territory_group, true as is_deleted union all select 'Africa', false",
        1,
    ),
}


def test_a_claim_finds_what_breaks_it(warehouse: Database, tmp_path: Path) -> None:
    warehouse.execute("create schema dev_test_silver; create schema dev_test_gold")
    for model, rows, _ in CLAIMS.values():
        layer = "silver" if model.startswith("stg_") else "gold"
        warehouse.execute(f"create table dev_test_{layer}.{model} as {rows}")
    env = {**warehouse.env, "DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)}
    tested = dbt("test", "--select", *CLAIMS, env=env)
    results = json.loads((tmp_path / "run_results.json").read_text())["results"]
    tests = [r for r in results if r["unique_id"].startswith("test.")]
    found = {test["unique_id"].split(".")[2]: test["failures"] for test in tests}
    assert found == {claim: broken for claim, (_, _, broken) in CLAIMS.items()}, tested.stdout
