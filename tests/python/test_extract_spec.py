"""What the YAML may say of a table, and what is said when it is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from extraction.errors import ExtractError
from extraction.http.settings import HttpSettings
from extraction.spec import TableSpec, select, table_specs

pytestmark = pytest.mark.unit

SOURCE = {"kind": "postgres", "connection": "SHOP_URL"}


API = {"kind": "http", "connection": "SHOP_URL"}
ITEM = {"mode": "cursor", "cursor": "id", "primary_key": "id", "first_load": 10}


def _specs(
    table: dict[str, Any],
    source: dict[str, Any] | None = None,
    columns: dict[str, str | None] | None = None,
) -> list[TableSpec]:
    node = SimpleNamespace(
        source_name="shop",
        name="item",
        schema="landing_shop",
        identifier="item",
        original_file_path="models/bronze/shop/_shop__sources.yml",
        source_meta={"extract": source or SOURCE},
        meta={},
        columns={name: SimpleNamespace(data_type=type_) for name, type_ in (columns or {}).items()},
        config=SimpleNamespace(meta={"extract": {**(source or SOURCE), **table}}),
    )
    return table_specs(SimpleNamespace(sources={"source.shop.item": node}))


def test_a_table_needs_to_say_almost_nothing() -> None:
    (spec,) = _specs({})
    assert (spec.mode, spec.from_, spec.landing) == (
        "full",
        ("public", "item"),
        ("landing_shop", "item"),
    )


def test_a_name_with_a_dot_is_given_as_a_list() -> None:
    assert _specs({"from": "Sales.Customer"})[0].from_ == ("Sales", "Customer")
    assert _specs({"from": ["Sales", "v1.Customer"]})[0].from_ == ("Sales", "v1.Customer")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"mod": "full"}, "unknown key `mod`.*Did you mean `mode`"),
        ({"mode": "incremental"}, "`mode: incremental` is not one of full, cursor"),
        ({"mode": "cursor"}, "go together"),
        ({"cursor": "updated_at"}, "go together"),
        ({"mode": "cursor", "cursor": "updated_at"}, "need a `primary_key`"),
        ({"deletes": "soft"}, "need a `primary_key`"),
        ({"deletes": "hard"}, "is not one of none, soft"),
        ({"schema_drift": "panic"}, "is not one of evolve, freeze, ignore"),
        ({"from": "a..b"}, "a name like"),
        ({"primary_key": "id", "exclude": "id"}, "id can't be excluded"),
    ],
)
def test_a_wrong_declaration_names_file_table_and_remedy(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ExtractError, match=words) as error:
        _specs(table)
    assert "_shop__sources.yml: shop.item" in str(error.value)


def test_a_source_needs_kind_and_connection() -> None:
    with pytest.raises(ExtractError, match="needs `connection`"):
        _specs({}, {"kind": "postgres"})
    with pytest.raises(ExtractError, match="is not one of postgres"):
        _specs({}, {"kind": "oracle", "connection": "SHOP_URL"})


def test_an_api_needs_to_say_little_and_its_columns_their_types() -> None:
    (spec,) = _specs(
        {**ITEM, "reread": "36 hours", "created_field": "time"},
        {**API, "requests_per_second": 2.5, "concurrency": 3},
        {"id": "bigint", "title": "string", "_batch_id": None},
    )
    assert spec.from_ == ("item",)
    assert spec.columns == {"id": "bigint", "title": "string"}
    assert spec.http == HttpSettings(10, 36 * 3600, "time", 2.5, 3)


@pytest.mark.parametrize(
    ("table", "source", "words"),
    [
        ({"first_load": "many"}, {}, "`first_load: many` must be a whole number above zero"),
        ({"first_load": None}, {}, "`first_load: None` must be a whole number"),
        ({"mode": "full", "cursor": None}, {}, "is read by `mode: cursor`"),
        ({"reread": "2 days"}, {}, "`reread` and `created_field` go together"),
        ({"reread": "2 d", "created_field": "t"}, {}, "`reread: 2 d` is no time such as `2 days`"),
        ({"lookback": "2 days"}, {}, "is a number of ids"),
        ({}, {"concurrency": 1.5}, "`concurrency: 1.5` must be a whole number above zero"),
        ({}, {"timeout": 0}, "`timeout: 0` must be a number above zero"),
        ({}, {"requests_per_secnd": 5}, "Did you mean `requests_per_second`"),
    ],
)
def test_a_wrong_declaration_of_an_api_is_told(
    table: dict[str, Any], source: dict[str, Any], words: str
) -> None:
    with pytest.raises(ExtractError, match=words):
        _specs({**ITEM, **table}, {**API, **source}, {"id": "bigint"})


@pytest.mark.parametrize("type_", [None, "text"])
def test_a_column_of_an_api_needs_a_type_that_both_engines_know(type_: str | None) -> None:
    with pytest.raises(ExtractError, match=f"column title .* it has {type_ or 'none'}"):
        _specs(ITEM, API, {"id": "bigint", "title": type_})


def test_settings_of_an_api_are_unknown_to_a_database() -> None:
    with pytest.raises(ExtractError, match="unknown key `first_load`"):
        _specs({"first_load": 10})
    with pytest.raises(ExtractError, match="unknown key `concurrency`"):
        _specs({}, {**SOURCE, "concurrency": 3})


def test_tables_are_chosen_by_name() -> None:
    specs = _specs({})
    assert select(specs, ["shop"], ["item"]) == specs
    assert select(specs, [], ["shop.item"]) == specs
    with pytest.raises(ExtractError, match=r"No table `itme`.*item"):
        select(specs, [], ["itme"])
    with pytest.raises(ExtractError, match=r"No source `shpo`.*shop"):
        select(specs, ["shpo"], [])
