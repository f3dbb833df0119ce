"""What the YAML may say of a table, and what is said when it is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from extraction.errors import ExtractError
from extraction.spec import TableSpec, select, table_specs

SOURCE = {"kind": "postgres", "connection": "SHOP_URL"}


def _specs(table: dict[str, Any], source: dict[str, Any] | None = None) -> list[TableSpec]:
    node = SimpleNamespace(
        source_name="shop",
        name="item",
        schema="landing_shop",
        identifier="item",
        original_file_path="models/bronze/shop/_shop__sources.yml",
        source_meta={"extract": source or SOURCE},
        meta={},
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


def test_tables_are_chosen_by_name() -> None:
    specs = _specs({})
    assert select(specs, ["shop"], ["item"]) == specs
    assert select(specs, [], ["shop.item"]) == specs
    with pytest.raises(ExtractError, match=r"No table `itme`.*item"):
        select(specs, [], ["itme"])
    with pytest.raises(ExtractError, match=r"No source `shpo`.*shop"):
        select(specs, ["shpo"], [])
