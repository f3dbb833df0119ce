"""The project's conventions: each rule takes a manifest and yields what breaks it, and the remedy.

A breach is one sentence for whoever made it: the node, what is missing, and what to do.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from common.project import ROOT
from extraction.names import landing_name

Json = Mapping[str, Any]
Breaches = Iterator[str]
Rule = Callable[[Json], Breaches]

# Names of gold models that their readers have given.
GIVEN_NAMES = {"film_ratings", "customer_analytics"}
# Staging models that take more than one step, and which.
STAGED_IN_STEPS = {
    "stg_hacker_news__stories": "the host is cut out of a cut-out of the URL",
    "stg_storefront__customers": "a date is read first, and then found bad",
}
# Models with a branch that need no unit test, and why.
WITHOUT_UNIT_TEST: dict[str, str] = {}

KEY_TESTS = {"unique", "unique_combination_of_columns"}
RELATIONSHIPS = {"relationships", "relationships_where"}
# What a row is besides what it says: a link of two keys and these columns states no more.
METADATA = {"updated_at", "loaded_at", "deleted_at", "_batch_id"}
# Where a model takes the rows that are new; what bronze_current_rows takes is one macro, which
# br_pagila__rental shows.
NEW_ROWS = re.compile(r"\bis_incremental\(\)|\brows_to_build\(")
BRANCH = re.compile(rf"\bcase\b|\bover\s*\(|\bto_boolean\(|{NEW_ROWS.pattern}", re.I)
COMMENT = re.compile(r"\{#.*?#\}|--[^\n]*", re.S)

RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


@rule
def names_tell_the_layer(manifest: Json) -> Breaches:
    forms = {
        "bronze": r"br_[a-z0-9_]+__[a-z0-9_]+",
        "silver": r"(stg_[a-z0-9_]+__|int_)[a-z0-9_]+",
        "gold": r"(dim|fact|mart|metrics)_[a-z0-9_]+",
    }
    for model in _nodes(manifest, "model"):
        name, layer = model["name"], _layer(model)
        if layer not in forms:
            yield f"{name} is in no layer: move it to models/bronze, models/silver or models/gold."
        elif not re.fullmatch(forms[layer], name) and name not in GIVEN_NAMES:
            yield f"{name} is in {layer}: give it a name like {forms[layer]}."
        for parent in model["depends_on"]["nodes"]:
            above = _find(manifest, parent)
            if layer == "bronze" and above.get("resource_type") == "source":
                expected = f"br_{above['source_name']}__{above['name']}"
                if name != expected:
                    yield f"{name} reads {parent}: call it {expected}."
            if (
                name.startswith("stg_")
                and parent.startswith("model.")
                and _layer(above) == "bronze"
            ):
                prefix = above["name"].split("__")[0].replace("br_", "stg_", 1) + "__"
                if not name.startswith(prefix):
                    yield f"{name} reads {above['name']}: begin its name with {prefix}."
    for seed in _nodes(manifest, "seed"):
        if not seed["name"].endswith("s"):
            yield f"{seed['name']} is a seed, a table of many: use the plural."
    for snapshot in _nodes(manifest, "snapshot"):
        if not snapshot["name"].startswith("snap_"):
            yield f"{snapshot['name']} is a snapshot: begin its name with snap_."


@rule
def staging_is_one_select(manifest: Json) -> Breaches:
    """Postgres doesn't see through a view that has a CTE: whoever joins it reads all of it."""
    staged = [m for m in _nodes(manifest, "model") if m["name"].startswith("stg_")]
    for model in staged:
        is_one = not re.match(r"\s*with\b", COMMENT.sub("", model["raw_code"]), re.I)
        if is_one == (model["name"] in STAGED_IN_STEPS):
            yield (
                f"{model['name']} is one select: remove it from STAGED_IN_STEPS."
                if is_one
                else f"{model['name']} begins with a CTE: select from {{{{ ref('br_…') }}}}, "
                "or add it to STAGED_IN_STEPS with its reason."
            )


@rule
def staging_tells_what_was_deleted(manifest: Json) -> Breaches:
    """By deleted_at tests pass over such rows (macros/project/get_where_subquery.sql)."""
    for source in manifest["sources"].values():
        if _extract(source).get("deletes") != "soft":
            continue
        bronze = f"model.medallion.br_{source['source_name']}__{source['name']}"
        for model in _nodes(manifest, "model"):
            leaves_out = "_deleted_at is null" in model["raw_code"]
            if bronze in model["depends_on"]["nodes"] and not (
                "deleted_at" in model["columns"] or leaves_out
            ):
                yield (
                    f"{model['name']} has rows that are gone from the source: add the column "
                    "deleted_at, or leave them out by `where _deleted_at is null`."
                )


@rule
def everything_is_described(manifest: Json) -> Breaches:
    for node in [*_nodes(manifest, "model", "snapshot", "seed"), *manifest["sources"].values()]:
        where = f"{node['name']} ({node['resource_type']})"
        if not node["description"].strip():
            yield f"{where} has no description: write one beside it in YAML."
        if not node["columns"]:
            yield f"{where} names no columns: list them in its YAML."
        for column in node["columns"].values():
            if not column["description"].strip():
                yield f"{where} does not describe its column {column['name']}."
    for node in _nodes(manifest, "analysis"):
        if not node["description"].strip():
            yield f"{node['name']} has no description: write one in analyses/_analyses.yml."
    for test in _tests(manifest):
        if _is_singular(test) and not test["description"].strip():
            yield f"{test['name']} has no description: write one beside {_path(test)}."
        is_tolerant = test["config"]["severity"].lower() == "warn" or not _is_strict(test)
        if is_tolerant and not test["description"].strip():
            yield f"{test['name']} may pass with bad rows: say why in its description."


@rule
def everything_has_an_owner(manifest: Json) -> Breaches:
    owners = {group["owner"]["name"] for group in manifest["groups"].values()}
    for node in _nodes(manifest, "model", "snapshot", "seed"):
        if not node["config"].get("group"):
            yield f"{node['name']} is in no group: give its folder one in dbt_project.yml."
        if "owner" in node["config"].get("meta", {}):
            yield f"{node['name']} has a meta.owner: remove it, its owner is its group's."
    for source in manifest["sources"].values():
        if source["source_meta"].get("owner") not in owners:
            yield (
                f"Source {source['source_name']} has no owner from models/_groups.yml: name one "
                "in its meta."
            )


@rule
def every_table_is_tested_for_one_row_per_key(manifest: Json) -> Breaches:
    tested = {
        _guarded(test)
        for test in _tests(manifest)
        if _kind(test) in KEY_TESTS
        and test["config"]["severity"].lower() == "error"
        and _is_strict(test)
    }
    for node in _nodes(manifest, "model", "snapshot", "seed"):
        if node["unique_id"] not in tested:
            yield (
                f"{node['name']} is not tested for one row per key: add `unique` or "
                "`unique_combination_of_columns`, with severity error."
            )


@rule
def every_key_of_a_source_is_not_null(manifest: Json) -> Breaches:
    """`unique` passes over nulls, and a row without key would stay in bronze for good.

    Where extraction looks for deletes it compares keys, and refuses those that are null.
    """
    tested = {(_guarded(test), _column(test)) for test in _not_null_tests(manifest)}
    for source in manifest["sources"].values():
        extract = _extract(source)
        bronze = f"model.medallion.br_{source['source_name']}__{source['name']}"
        if extract.get("deletes") == "soft":
            continue
        for key in extract.get("primary_key") or []:
            column = (extract.get("rename") or {}).get(key) or landing_name(key)
            if not tested & {(source["unique_id"], column), (bronze, column)}:
                yield (
                    f"{source['source_name']}.{source['name']} may land without {column}: add to "
                    f"its data_tests `not_null: {{arguments: {{column_name: {column}}}}}`."
                )


@rule
def every_model_has_a_business_rule(manifest: Json) -> Breaches:
    """What holds beyond keys and relationships.

    Not in bronze, which is the source as it is: what silver mends would fail there. And not of a
    mere link, whose columns are all its key: that it is unique is all that can be said of it.
    """
    rules: dict[str, set[str]] = defaultdict(set)
    keys: dict[str, list[set[str]]] = defaultdict(list)
    for test in _tests(manifest):
        if _is_singular(test):
            for parent in test["depends_on"]["nodes"]:
                rules[parent].add(test["name"])
        elif _kind(test) in KEY_TESTS:
            keys[_guarded(test)].append(_tested_columns(test))
        elif _kind(test) not in {"not_null", *RELATIONSHIPS}:
            rules[_guarded(test)].add(test["name"])
    for model in _nodes(manifest, "model"):
        unique_id, columns = model["unique_id"], set(model["columns"]) - METADATA
        # Uniqueness beyond the key is a rule too: no two customers share an e-mail address.
        has_rule = rules[unique_id] or len(keys[unique_id]) > 1
        is_link = any(len(key) > 1 and columns <= key for key in keys[unique_id])
        if _layer(model) != "bronze" and not has_rule and not is_link:
            yield (
                f"{model['name']} is tested for keys and relationships only: test something that "
                "the business says of it, such as `accepted_range` or `expression_is_true`."
            )


@rule
def every_seed_is_tested(manifest: Json) -> Breaches:
    """Beyond its key: the business edits it by hand."""
    tested = {
        _guarded(test)
        for test in _tests(manifest)
        if not _is_singular(test) and _kind(test) not in KEY_TESTS
    }
    for seed in _nodes(manifest, "seed"):
        if seed["unique_id"] not in tested:
            yield f"{seed['name']} is tested for its key only: test its values."


@rule
def nothing_is_asked_twice(manifest: Json) -> Breaches:
    """A test costs a query in every build."""
    tests = list(_not_null_tests(manifest))
    asked = {(_guarded(test), _column(test)) for test in tests}
    for test in tests:
        node, name = _find(manifest, _guarded(test)), _column(test)
        if name in _required_columns(node):
            yield (
                f"{test['name']}: {node['name']} has a constraint that keeps {name} from being "
                "null; remove the test."
            )
        for parent in (node.get("depends_on") or {}).get("nodes", []):
            if parent.startswith("source.") and (parent, name) in asked:
                yield (
                    f"{test['name']}: the source's column is tested already; state `not_null` in "
                    "the data_tests of the source's table, not in the columns that bronze shares."
                )


@rule
def everything_is_used(manifest: Json) -> Breaches:
    readers: dict[str, set[str]] = defaultdict(set)
    for node in [*_nodes(manifest, "model", "snapshot"), *manifest["exposures"].values()]:
        for parent in node["depends_on"]["nodes"]:
            readers[parent].add(node["resource_type"])
    for node in _nodes(manifest, "model", "snapshot", "seed"):
        found = readers[node["unique_id"]]
        if node["resource_type"] == "model" and _layer(node) == "gold":
            if "exposure" not in found:
                yield f"{node['name']} is in no exposure: say who reads it, or delete it."
        elif not found and node["resource_type"] != "snapshot":
            yield f"{node['name']} is read by no model and no exposure: use it, or delete it."


@rule
def gold_is_tested_against_its_dimensions(manifest: Json) -> Breaches:
    tested = {
        (_guarded(test), _column(test), parent)
        for test in _tests(manifest)
        if _kind(test) in RELATIONSHIPS
        for parent in test["depends_on"]["nodes"]
    }
    gold = [model for model in _nodes(manifest, "model") if _layer(model) == "gold"]
    keys = [(dim, key) for dim in gold if dim["name"].startswith("dim_") for key in _key(dim)]
    for model in gold:
        for column in model["columns"]:
            if not re.search(r"_(id|key)$", column):
                continue
            named = [
                dim
                for dim, key in keys
                if dim is not model
                and _domain(dim) == _domain(model)
                and f"_{column}".endswith(f"_{key}")
            ]
            if named and not any(
                (model["unique_id"], column, dim["unique_id"]) in tested for dim in named
            ):
                yield (
                    f"{model['name']}.{column} names a row of {named[0]['name']}: test it by "
                    "`relationships`."
                )


@rule
def layers_read_only_the_layer_below(manifest: Json) -> Breaches:
    may_read = {
        "bronze": {"source"},
        "staging": {"bronze", "silver", "staging", "seed", "snapshot"},
        "silver": {"silver", "staging", "seed", "snapshot"},
        "gold": {"silver", "staging", "gold", "seed", "snapshot"},
        "snapshot": {"silver", "staging"},
    }
    for node in _nodes(manifest, "model", "snapshot"):
        for parent in node["depends_on"]["nodes"]:
            above = _find(manifest, parent)
            if _part(above) not in may_read.get(_part(node), set()):
                yield (
                    f"{node['name']} ({_part(node)}) reads {above['name']} ({_part(above)}): only "
                    "bronze reads sources, only stg_ models read bronze, and none a layer above."
                )


@rule
def access_follows_the_layer(manifest: Json) -> Breaches:
    """Other domains build on gold; what is between is nobody else's."""
    for model in _nodes(manifest, "model"):
        expected = "public" if _layer(model) == "gold" else "protected"
        expected = "private" if model["name"].startswith("int_") else expected
        if model["access"] != expected:
            yield (
                f"{model['name']} is {model['access']}: set `config: {{access: {expected}}}` in "
                "its YAML."
            )


@rule
def gold_keeps_its_promises(manifest: Json) -> Breaches:
    for model in _nodes(manifest, "model"):
        if _layer(model) != "gold":
            continue
        if not model["config"]["contract"]["enforced"]:
            yield f"{model['name']} has no contract: don't switch it off."
        if not _key(model):
            yield f"{model['name']} has no primary key: add the constraint."
        if not re.match(r"One row per ", model["description"]):
            yield f"{model['name']} does not say its grain: begin with 'One row per ...'."


@rule
def seeds_state_their_types(manifest: Json) -> Breaches:
    """Without, each engine guesses by the rows that are there today."""
    for seed in _nodes(manifest, "seed"):
        with (ROOT / seed["original_file_path"]).open(encoding="utf-8", newline="") as file:
            header = set(next(csv.reader(file)))
        if missing := sorted(header - set(seed["config"].get("column_types") or {})):
            yield f"{seed['name']} lacks column_types of: {', '.join(missing)}."
        if missing := sorted(header ^ set(seed["columns"])):
            yield f"{seed['name']}: file and YAML differ in the columns {', '.join(missing)}."


@rule
def singular_tests_read_like_claims(manifest: Json) -> Breaches:
    models = {node["name"] for node in _nodes(manifest, "model", "snapshot", "seed")}
    for test in _tests(manifest):
        name = test["name"]
        if not _is_singular(test):
            continue
        is_number_of_model = re.sub(r"_\d+$", "", name) in models
        if re.match(r"(test|check|assert)_", name) or is_number_of_model or name.count("_") < 2:
            yield f"{name}: call a test what it claims, such as no_payment_is_below_zero."
        if len(test["fqn"]) < 3:
            yield f"{name} is in no domain: move it to tests/<domain>/."


@rule
def branches_have_unit_tests(manifest: Json) -> Breaches:
    tests = manifest["unit_tests"].values()
    tested = {test["model"] for test in tests}
    incremental = {test["model"] for test in tests if _overrides(test).get("is_incremental")}
    for model in _nodes(manifest, "model"):
        name, sql = model["name"], COMMENT.sub("", model["raw_code"])
        if name in WITHOUT_UNIT_TEST:
            continue
        if (found := BRANCH.search(sql)) and name not in tested:
            yield (
                f"{name} has `{found[0]}` and no unit test: show each branch, bounds included, in "
                f"_{_domain(model)}__{_layer(model)}_unit_tests.yml."
            )
        elif (found := NEW_ROWS.search(sql)) and name not in incremental:
            yield (
                f"{name} has `{found[0]}` and no unit test of it: show which rows are new in one "
                "that overrides is_incremental with true."
            )
    for name in set(WITHOUT_UNIT_TEST) & tested:
        yield f"{name} has a unit test: remove it from WITHOUT_UNIT_TEST."


@rule
def personal_data_stays_marked(manifest: Json) -> Breaches:
    """A column keeps its mark under its name; `contains_pii: false` says that it lost it."""
    for node in _nodes(manifest, "model", "snapshot"):
        for parent in node["depends_on"]["nodes"]:
            above = _find(manifest, parent)
            for name, column in node["columns"].items():
                if _pii(above["columns"].get(name)) and _pii(column) is None:
                    yield (
                        f"{node['name']}.{name} comes from {above['name']}, where it is personal "
                        "data: set `config: {meta: {contains_pii: true}}`, or false if it is "
                        "hashed or no longer personal."
                    )


@rule
def sources_are_watched_and_refined(manifest: Json) -> Breaches:
    for source in manifest["sources"].values():
        name = f"{source['source_name']}.{source['name']}"
        freshness = source["freshness"] or {}
        if not all((freshness.get(f"{w}_after") or {}).get("count") for w in ("warn", "error")):
            yield f"{name} has no limits of freshness: set warn_after and error_after."
        bronze = manifest["nodes"].get(
            f"model.medallion.br_{source['source_name']}__{source['name']}"
        )
        if bronze is None:
            yield f"{name} has no bronze model: add br_{name.replace('.', '__')}.sql."
            continue
        config = bronze["config"]
        kind = (config["materialized"], config["incremental_strategy"], config["full_refresh"])
        is_log = _extract(source).get("mode", "full") != "full"
        if _extract(source) and kind != (
            ("incremental", "merge", False) if is_log else ("table", None, None)
        ):
            yield (
                f"{bronze['name']}: a table in another mode than full is merged and never built "
                "anew (incremental, merge, full_refresh: false), any other is a table."
            )


def _nodes(manifest: Json, *types: str) -> list[Json]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] in types]


def _tests(manifest: Json) -> list[Json]:
    return _nodes(manifest, "test")


def _not_null_tests(manifest: Json) -> list[Json]:
    return [
        test
        for test in _tests(manifest)
        if _kind(test) == "not_null" and not test["config"].get("where") and _is_strict(test)
    ]


def _find(manifest: Json, unique_id: str) -> Json:
    found: Json = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
    return found


def _extract(source: Json) -> Json:
    """How a source is extracted; empty for what this project writes itself."""
    return source["config"]["meta"].get("extract") or {}


def _layer(node: Json) -> str:
    return str(node["fqn"][1])


def _domain(node: Json) -> str:
    return str(node["fqn"][2])


def _part(node: Json) -> str:
    """The layer, and of silver the part that reads bronze."""
    if node["resource_type"] != "model":
        return str(node["resource_type"])
    return "staging" if node["name"].startswith("stg_") else _layer(node)


def _kind(test: Json) -> str:
    return str((test.get("test_metadata") or {}).get("name", ""))


def _overrides(unit_test: Json) -> Json:
    """The macros that a unit test stands in for."""
    found: Json = (unit_test.get("overrides") or {}).get("macros") or {}
    return found


def _is_singular(test: Json) -> bool:
    return not test.get("test_metadata")


def _is_strict(test: Json) -> bool:
    return bool(test["config"]["error_if"] == "!= 0")


def _path(node: Json) -> str:
    return str(node["original_file_path"])


def _guarded(test: Json) -> str:
    """What a generic test is a test of; dbt attaches it to models, not to sources."""
    return str(test.get("attached_node") or test["depends_on"]["nodes"][-1])


def _tested_columns(test: Json) -> set[str]:
    several = test["test_metadata"]["kwargs"].get("combination_of_columns")
    return set(several or [_column(test)])


def _column(test: Json) -> str:
    """Stated beside a column, or as an argument of a test of the whole table."""
    return str(test["test_metadata"]["kwargs"].get("column_name", ""))


def _required_columns(node: Json) -> set[str]:
    if not ((node.get("config") or {}).get("contract") or {}).get("enforced"):
        return set()
    columns = {
        name
        for name, column in node["columns"].items()
        if {constraint["type"] for constraint in column["constraints"]}
        & {"not_null", "primary_key"}
    }
    return columns | set(_key(node))


def _key(model: Json) -> list[str]:
    named = [
        name
        for constraint in model["constraints"]
        if constraint["type"] == "primary_key"
        for name in constraint["columns"]
    ]
    marked = [
        name
        for name, column in model["columns"].items()
        if any(constraint["type"] == "primary_key" for constraint in column["constraints"])
    ]
    return named + marked


def _pii(column: Json | None) -> bool | None:
    meta = ((column or {}).get("config") or {}).get("meta") or {}
    found: bool | None = meta.get("contains_pii")
    return found


def breaches(manifest: Json) -> list[str]:
    return [f"{rule.__name__}: {said}" for rule in RULES for said in sorted(set(rule(manifest)))]


def parse(*options: str) -> Json:
    """The project as it is now; kept where sqlfluff keeps what it has parsed (.sqlfluff)."""
    folder = ROOT / "target" / "lint"
    dbt = [str(Path(sys.executable).with_name("dbt")), "--quiet", "parse", *options]
    same = ["--profile", "medallion", "--target", "dev", "--target-path", str(folder)]
    if subprocess.run([*dbt, *same], cwd=ROOT, check=False).returncode:
        sys.exit("dbt cannot parse the project: mend what it says above.")
    manifest: Json = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def main() -> None:
    """Parses the project, says what breaks the rules, and fails if anything does."""
    # What dbt parses in part lacks descriptions of singular tests that have changed.
    if breaches(parse()) and (found := breaches(parse("--no-partial-parse"))):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
