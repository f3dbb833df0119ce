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
    # what is unknown is not as it should be
    "a_loaded_batch_has_ended_and_counted_its_rows": (
        "stg_operations__extract_batches",
        "select 'loaded' as batch_status, now() as started_at, ended as finished_at,"
        " loaded as rows_loaded"
        " from (values (null, 1), (now(), null), (now(), 1)) as v (ended, loaded)",
        2,
    ),
    "an_invocation_has_failed_if_and_only_if_a_node_has": (
        "stg_operations__dbt_invocations",
        "select status as invocation_status, failed as nodes_failed from (values"
        " ('failed', null), ('succeeded', null), ('running', null), ('failed', 1))"
        " as v (status, failed)",
        2,
    ),
    "a_run_that_ended_knows_how_long_it_took": (
        "fact_pipeline_run",
        "select status as run_status, seconds as duration_seconds from (values"
        " ('failed', null), ('succeeded', null), ('running', null), ('failed', 1))"
        " as v (status, seconds)",
        2,
    ),
    "a_failed_test_has_found_rows": (
        "fact_test_result",
        "select 'fail' as test_status, found as failures from (values (null), (1)) as v (found)",
        1,
    ),
    # a guest; one whom only payments name; two who registered, the second without a code
    "guests_have_no_name_and_the_registered_have_a_code": (
        "dim_storefront_customer",
        "select *, 'Unknown' as customer_status, false as is_deleted from (values"
        " (null, null, null, false), (1, null, null, false), (2, 'C2', 'Ada', true),"
        " (3, null, 'Bea', true))"
        " as v (customer_id, customer_code, customer_name, is_registered)",
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
