"""The project keeps its conventions, and each of them can be broken."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import conventions
from common.project import ROOT

pytestmark = pytest.mark.unit

Manifest = dict[str, Any]

FILM = "model.medallion.dim_film"
CUSTOMER = "model.medallion.dim_rental_customer"
RENTALS = "model.medallion.fact_rental"
ASSESSED = "model.medallion.int_rentals_assessed"
STAGED = "model.medallion.stg_pagila__rentals"
BRONZE = "model.medallion.br_pagila__rental"
SOURCE = "source.medallion.pagila.rental"
SNAPSHOT = "snapshot.medallion.snap_rental_customers"
CLAIM = "test.medallion.payments_are_not_before_their_rental"
SEED = "seed.medallion.late_fees"


@pytest.mark.parametrize("rule", conventions.RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_to(rule: conventions.Rule, manifest: Manifest) -> None:
    breaches = sorted(set(rule(manifest)))
    assert not breaches, "\n".join(["", *breaches])


@pytest.fixture
def small(manifest: Manifest, tmp_path: Path) -> Manifest:
    """One domain and what all share, to be doctored; and a seed, as if the domain had one."""

    def is_kept(node: dict[str, Any]) -> bool:
        shared = {"pagila", "core"} & set(node["fqn"])
        return bool(shared) or "rental" in {node.get("group"), node["config"].get("group")}

    kept = {
        kind: {key: node for key, node in manifest[kind].items() if is_kept(node)}
        for kind in ("nodes", "sources", "exposures", "unit_tests")
    }
    small: Manifest = json.loads(json.dumps({**kept, "groups": manifest["groups"]}))
    file = tmp_path / "late_fees.csv"
    file.write_text("days,fee\n1,0.5\n")
    small["nodes"][SEED] = {
        "unique_id": SEED,
        "name": "late_fees",
        "resource_type": "seed",
        "fqn": ["medallion", "pagila", "late_fees"],
        "original_file_path": str(file),
        "description": "What a late day costs.",
        "columns": {
            name: {"name": name, "description": name, "constraints": [], "config": {}}
            for name in ("days", "fee")
        },
        "config": {"group": "rental", "column_types": {"days": "integer", "fee": "numeric(18,2)"}},
    }
    small["nodes"][ASSESSED]["depends_on"]["nodes"].append(SEED)
    add_test(small, "late_fees_are_unique", "unique", SEED, column_name="days")
    add_test(small, "no_late_fee_is_below_zero", "accepted_range", SEED, column_name="fee")
    return small


def add_test(manifest: Manifest, name: str, kind: str, node: str, **arguments: object) -> None:
    manifest["nodes"][f"test.medallion.{name}"] = {
        "unique_id": f"test.medallion.{name}",
        "name": name,
        "resource_type": "test",
        "fqn": ["medallion", "pagila", name],
        "description": "",
        "test_metadata": {"name": kind, "kwargs": arguments},
        "attached_node": node,
        "depends_on": {"nodes": [node]},
        "config": {"severity": "ERROR", "error_if": "!= 0", "where": None},
    }


def ask_twice(manifest: Manifest) -> None:
    for node in (SOURCE, BRONZE):
        add_test(manifest, f"not_null_{node}", "not_null", node, column_name="rental_id")


def remove_tests(manifest: Manifest, node: str, *kinds: str) -> None:
    """Removes a node's tests of these kinds; '' is a singular test."""
    for key, test in list(manifest["nodes"].items()):
        is_of_node = test["resource_type"] == "test" and node in test["depends_on"]["nodes"]
        if is_of_node and (test.get("test_metadata") or {}).get("name", "") in kinds:
            del manifest["nodes"][key]


def rename(unique_id: str, name: str) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["nodes"][unique_id].update(name=name)


def read(unique_id: str, parent: str) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["nodes"][unique_id]["depends_on"]["nodes"].append(parent)


def configure(unique_id: str, **config: object) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["nodes"][unique_id]["config"].update(config)


def change(unique_id: str, **values: object) -> Callable[[Manifest], None]:
    return lambda manifest: (
        manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
    ).update(values)


def test_the_small_manifest_breaks_nothing(small: Manifest) -> None:
    assert {rule.__name__: list(rule(small)) for rule in conventions.RULES} == {
        rule.__name__: [] for rule in conventions.RULES
    }


BREACHES: list[tuple[conventions.Rule, Callable[[Manifest], object], str]] = [
    (conventions.names_tell_the_layer, rename(FILM, "films"), "films is in gold"),
    (conventions.names_tell_the_layer, rename(ASSESSED, "rentals"), "rentals is in silver"),
    (
        conventions.names_tell_the_layer,
        rename(STAGED, "stg_shop__rentals"),
        "stg_shop__rentals reads br_pagila__rental: begin its name with stg_pagila__",
    ),
    (
        conventions.names_tell_the_layer,
        rename(BRONZE, "br_pagila__rents"),
        "br_pagila__rents reads source.medallion.pagila.rental: call it br_pagila__rental",
    ),
    (
        conventions.names_tell_the_layer,
        change(FILM, fqn=["medallion", "platinum", "pagila", "dim_film"]),
        "dim_film is in no layer",
    ),
    (conventions.names_tell_the_layer, rename(SEED, "late_fee"), "late_fee is a seed"),
    (conventions.names_tell_the_layer, rename(SNAPSHOT, "customers"), "customers is a snapshot"),
    (
        conventions.staging_is_one_select,
        change(STAGED, raw_code="-- rentals\nwith source as (select 1) select * from source"),
        "stg_pagila__rentals begins with a CTE",
    ),
    (
        conventions.staging_tells_what_was_deleted,
        lambda m: m["nodes"][STAGED]["columns"].pop("deleted_at"),
        "stg_pagila__rentals has rows that are gone",
    ),
    (conventions.everything_is_described, change(FILM, description=" "), "dim_film (model)"),
    (conventions.everything_is_described, change(SEED, columns={}), "late_fees (seed) names no"),
    (
        conventions.everything_is_described,
        lambda m: m["nodes"][SNAPSHOT]["columns"]["email"].update(description=""),
        "does not describe its column email",
    ),
    (
        conventions.everything_is_described,
        lambda m: m["sources"][SOURCE]["columns"]["rental_id"].update(description=""),
        "rental (source) does not describe its column rental_id",
    ),
    (
        conventions.everything_is_described,
        lambda m: m["nodes"].update(
            {"a": {"resource_type": "analysis", "name": "late_ones", "description": ""}}
        ),
        "late_ones has no description",
    ),
    (
        conventions.everything_is_described,
        change(CLAIM, description=""),
        "payments_are_not_before_their_rental has no description",
    ),
    (
        conventions.everything_is_described,
        configure("test.medallion.late_fees_are_unique", error_if="> 5"),
        "late_fees_are_unique may pass with bad rows",
    ),
    (
        conventions.everything_is_described,
        configure("test.medallion.late_fees_are_unique", severity="warn"),
        "late_fees_are_unique may pass with bad rows",
    ),
    (conventions.everything_has_an_owner, configure(SEED, group=None), "late_fees is in no group"),
    (conventions.everything_has_an_owner, configure(FILM, group=None), "dim_film is in no group"),
    (
        conventions.everything_has_an_owner,
        configure(FILM, meta={"owner": "me"}),
        "dim_film has a meta.owner",
    ),
    (
        conventions.everything_has_an_owner,
        change(SOURCE, source_meta={"owner": "nobody"}),
        "Source pagila has no owner",
    ),
    (
        conventions.every_table_is_tested_for_one_row_per_key,
        lambda m: remove_tests(m, FILM, "unique"),
        "dim_film is not tested for one row per key",
    ),
    (
        conventions.every_table_is_tested_for_one_row_per_key,
        configure("test.medallion.late_fees_are_unique", severity="warn"),
        "late_fees is not tested for one row per key",
    ),
    (
        conventions.every_table_is_tested_for_one_row_per_key,
        configure("test.medallion.late_fees_are_unique", error_if="> 5"),
        "late_fees is not tested for one row per key",
    ),
    (
        conventions.every_key_of_a_source_is_not_null,
        lambda m: m["sources"][SOURCE]["config"]["meta"]["extract"].pop("deletes"),
        "pagila.rental may land without rental_id",
    ),
    (
        conventions.every_model_has_a_business_rule,
        lambda m: remove_tests(m, FILM, "equal_rowcount", "expression_is_true", ""),
        "dim_film is tested for keys and relationships only",
    ),
    (
        conventions.every_model_has_a_business_rule,
        lambda m: m["nodes"]["model.medallion.stg_pagila__film_actors"]["columns"].update(
            {"role": {}}
        ),
        "stg_pagila__film_actors is tested for keys",
    ),
    (
        conventions.every_seed_is_tested,
        lambda m: remove_tests(m, SEED, "accepted_range"),
        "late_fees is tested for its key only",
    ),
    (
        conventions.nothing_is_asked_twice,
        lambda m: add_test(m, "not_null_title", "not_null", FILM, column_name="title"),
        "not_null_title: dim_film has a constraint that keeps title",
    ),
    (
        conventions.nothing_is_asked_twice,
        lambda m: add_test(m, "not_null_film_id", "not_null", FILM, column_name="film_id"),
        "not_null_film_id: dim_film has a constraint",
    ),
    (
        conventions.nothing_is_asked_twice,
        ask_twice,
        "the source's column is tested already",
    ),
    (
        conventions.everything_is_used,
        lambda m: m["exposures"].clear(),
        "dim_film is in no exposure",
    ),
    (
        conventions.everything_is_used,
        lambda m: m["nodes"][ASSESSED]["depends_on"]["nodes"].remove(SEED),
        "late_fees is read by no model",
    ),
    (
        conventions.everything_is_used,
        lambda m: m["nodes"][RENTALS]["depends_on"]["nodes"].remove(ASSESSED),
        "int_rentals_assessed is read by no model",
    ),
    (
        conventions.gold_is_tested_against_its_dimensions,
        lambda m: remove_tests(m, RENTALS, "relationships"),
        "fact_rental.film_id names a row of dim_film",
    ),
    (
        conventions.gold_is_tested_against_its_dimensions,
        lambda m: m["nodes"][RENTALS]["columns"].update({"home_store_id": {}}),
        "fact_rental.home_store_id names a row of dim_store",
    ),
    (
        conventions.gold_is_tested_against_its_dimensions,
        lambda m: remove_tests(m, CUSTOMER, "relationships"),
        "dim_rental_customer.home_store_id names a row of dim_store",
    ),
    (conventions.layers_read_only_the_layer_below, read(FILM, BRONZE), "dim_film (gold) reads"),
    (conventions.layers_read_only_the_layer_below, read(FILM, SOURCE), "dim_film (gold) reads"),
    (conventions.layers_read_only_the_layer_below, read(ASSESSED, BRONZE), "(silver) reads br_"),
    (conventions.layers_read_only_the_layer_below, read(STAGED, SOURCE), "(staging) reads rental"),
    (conventions.layers_read_only_the_layer_below, read(STAGED, FILM), "(staging) reads dim_film"),
    (conventions.layers_read_only_the_layer_below, read(BRONZE, FILM), "(bronze) reads dim_film"),
    (conventions.layers_read_only_the_layer_below, read(SNAPSHOT, BRONZE), "(snapshot) reads br_"),
    (
        conventions.access_follows_the_layer,
        change(ASSESSED, access="protected"),
        "int_rentals_assessed is protected: set `config: {access: private}`",
    ),
    (conventions.access_follows_the_layer, change(FILM, access="protected"), "{access: public}"),
    (conventions.access_follows_the_layer, change(STAGED, access="public"), "{access: protected}"),
    (
        conventions.gold_keeps_its_promises,
        configure(FILM, contract={"enforced": False}),
        "dim_film has no contract",
    ),
    (
        conventions.gold_keeps_its_promises,
        lambda m: m["nodes"][FILM]["columns"]["film_id"].update(constraints=[]),
        "dim_film has no primary key",
    ),
    (
        conventions.gold_keeps_its_promises,
        change(FILM, description="All films."),
        "dim_film does not say its grain",
    ),
    (
        conventions.seeds_state_their_types,
        configure(SEED, column_types={"days": "integer"}),
        "late_fees lacks column_types of: fee",
    ),
    (
        conventions.seeds_state_their_types,
        lambda m: m["nodes"][SEED]["columns"].pop("fee"),
        "late_fees: file and YAML differ in the columns fee",
    ),
    (
        conventions.singular_tests_read_like_claims,
        rename(CLAIM, "test_the_payments"),
        "call a test",
    ),
    (conventions.singular_tests_read_like_claims, rename(CLAIM, "fact_payment_2"), "call a test"),
    (conventions.singular_tests_read_like_claims, rename(CLAIM, "payments"), "call a test"),
    (
        conventions.singular_tests_read_like_claims,
        change(CLAIM, fqn=["medallion", "payments_are_not_before_their_rental"]),
        "is in no domain",
    ),
    (
        conventions.branches_have_unit_tests,
        lambda m: m["unit_tests"].clear(),
        "int_rentals_assessed has `to_boolean(` and no unit test",
    ),
    (
        conventions.branches_have_unit_tests,
        change(STAGED, raw_code="select row_number() over (order by rental_id) as n from t"),
        "stg_pagila__rentals has `over (`",
    ),
    (
        conventions.branches_have_unit_tests,
        change(STAGED, raw_code="select 1 {% if is_incremental() %} where true {% endif %}"),
        "stg_pagila__rentals has `is_incremental()`",
    ),
    (
        conventions.branches_have_unit_tests,
        change(STAGED, raw_code="select case when a > b then 1 else 0 end as n from t"),
        "stg_pagila__rentals has `case`",
    ),
    (
        conventions.branches_have_unit_tests,
        lambda m: [test.update(overrides=None) for test in m["unit_tests"].values()],
        "fact_rental has `rows_to_build(` and no unit test of it",
    ),
    (
        conventions.personal_data_stays_marked,
        lambda m: m["nodes"]["model.medallion.dim_rental_customer"]["columns"]["email"].update(
            config={"meta": {}}
        ),
        "dim_rental_customer.email comes from stg_pagila__customers",
    ),
    (
        conventions.personal_data_stays_marked,
        lambda m: m["nodes"][SNAPSHOT]["columns"]["email"].update(config={"meta": {}}),
        "snap_rental_customers.email comes from stg_pagila__customers",
    ),
    (
        conventions.sources_are_watched_and_refined,
        change(SOURCE, freshness={"warn_after": {"count": 1}, "error_after": {}}),
        "pagila.rental has no limits of freshness",
    ),
    (
        conventions.sources_are_watched_and_refined,
        lambda m: m["nodes"].pop(BRONZE),
        "pagila.rental has no bronze model",
    ),
    (
        conventions.sources_are_watched_and_refined,
        configure(BRONZE, full_refresh=None),
        "br_pagila__rental: a table in another mode than full is merged",
    ),
]


@pytest.mark.parametrize(
    ("rule", "doctor", "breach"), BREACHES, ids=[breach for _, _, breach in BREACHES]
)
def test_a_breach_is_found(
    rule: conventions.Rule,
    doctor: Callable[[Manifest], object],
    breach: str,
    small: Manifest,
) -> None:
    doctor(small)
    assert breach in "\n".join(rule(small))


def test_each_rule_can_be_broken() -> None:
    assert {rule for rule, _, _ in BREACHES} == set(conventions.RULES)


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 -- in any case",
        "{# is_incremental() #} select 1",
        "select in_case, overall from t",
    ],
)
def test_what_is_no_branch_needs_no_unit_test(sql: str, small: Manifest) -> None:
    change(STAGED, raw_code=sql)(small)
    assert list(conventions.branches_have_unit_tests(small)) == []


def test_every_convention_is_explained() -> None:
    """docs/conventions.md has a row for each, and none for what is no convention any more."""
    page = (ROOT / "docs" / "conventions.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \|(.+)\|$", page, re.M)
    assert all(len([cell for cell in row.split("|") if cell.strip()]) == 3 for _, row in rows)
    checks = yaml.safe_load((ROOT / "dbt-bouncer.yml").read_text())["manifest_checks"]
    fetched = yaml.safe_load((ROOT / ".pre-commit-fetched.yaml").read_text())["repos"]
    hooks = [hook["id"] for repo in fetched for hook in repo["hooks"]]
    assert sorted(name for name, _ in rows) == sorted(
        {rule.__name__ for rule in conventions.RULES}
        | {check["name"] for check in checks}
        | {hook for hook in hooks if hook.startswith("check-")}
    )
