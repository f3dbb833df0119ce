"""The data dictionary says what the models say, in words for readers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from data_dictionary import PAGE, data_dictionary

pytestmark = pytest.mark.unit

FILM = "model.medallion.dim_film"


@pytest.fixture
def doctored(manifest: dict[str, Any]) -> dict[str, Any]:
    kinds = ("nodes", "sources", "exposures", "groups", "metrics")
    copied: dict[str, Any] = json.loads(json.dumps({kind: manifest[kind] for kind in kinds}))
    return copied


def test_the_page_is_what_the_models_say(manifest: dict[str, Any]) -> None:
    assert PAGE.read_text() == data_dictionary(manifest), "Run `make dictionary` and commit."


def test_the_order_in_which_dbt_lists_things_does_not_matter(doctored: dict[str, Any]) -> None:
    reversed_manifest = {
        kind: dict(reversed(list(found.items()))) for kind, found in doctored.items()
    }
    assert data_dictionary(reversed_manifest) == data_dictionary(doctored)


def test_every_gold_model_column_and_metric_is_there(manifest: dict[str, Any]) -> None:
    page = data_dictionary(manifest)
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["fqn"][1] == "gold":
            section = _section(page, node["name"])
            for column in node["columns"]:
                assert (f"\n| `{column}` | " in section) != column.startswith("_")
    for metric in manifest["metrics"].values():
        assert f"\n| `{metric['name']}` | " in page


def test_a_column_says_what_holds_for_it(doctored: dict[str, Any]) -> None:
    node = doctored["nodes"][FILM]
    node["columns"]["title"].update(
        description="Either\nthis | that, <all>", config={"meta": {"contains_pii": True}}
    )
    section = _section(data_dictionary(doctored), "dim_film")
    assert "| `film_id` | integer | key | The film, the key. |" in section
    assert r"| `title` | string | required, personal | Either this \| that, \<all> |" in section


@pytest.mark.parametrize(
    ("name", "config", "sentence"),
    [
        ("no_price_is_below_zero", {}, "- No price is below zero.\n"),
        ("dim_film_has_every_film", {}, "- `dim_film` has every film.\n"),
        (
            "the_films_of_rentals_are_in_dim_film",
            {},
            "- The films of rentals are in `dim_film`.\n",
        ),
        (
            "all_films_of_fact_rental_are_in_dim_film",
            {},
            "- All films of `fact_rental` are in `dim_film`.\n",
        ),
        # an analysis, not a table
        ("late_rentals_are_few", {}, "- Late rentals are few.\n"),
        (
            "films_are_cheap",
            {"severity": "warn"},
            "- Films are cheap. Known exceptions: Some are not.\n",
        ),
        (
            "films_are_cheap",
            {"error_if": "> 9"},
            "- Films are cheap. Known exceptions: Some are not.\n",
        ),
    ],
)
def test_a_test_is_a_claim(
    name: str, config: dict[str, str], sentence: str, doctored: dict[str, Any]
) -> None:
    doctored["nodes"]["test.medallion.new"] = {
        "name": name,
        "resource_type": "test",
        "fqn": ["medallion", "gold", "pagila", name],
        "description": "Some are\nnot.",
        "test_metadata": {"name": "accepted_range"},
        "attached_node": FILM,
        "config": {"severity": "ERROR", "error_if": "!= 0", **config},
    }
    assert sentence in _section(data_dictionary(doctored), "dim_film")


def test_a_source_says_after_how_long_it_is_late(doctored: dict[str, Any]) -> None:
    doctored["sources"]["source.medallion.pagila.rental"]["freshness"] = {
        "warn_after": {"count": 1, "period": "hour"},
        "error_after": {"count": 2, "period": "day"},
    }
    assert " | 1 hour, 2 days | " in _section(data_dictionary(doctored), "Source pagila")


def test_a_name_that_dbt_made_up_is_no_claim(doctored: dict[str, Any]) -> None:
    doctored["nodes"]["test.medallion.new"] = {
        "name": "unique_dim_film_title",
        "resource_type": "test",
        "fqn": ["medallion", "gold", "pagila", "unique_dim_film_title"],
        "test_metadata": {"name": "unique"},
        "attached_node": FILM,
    }
    assert "nique `dim_film` title" not in data_dictionary(doctored)


def test_a_reference_table_is_there_with_its_types(doctored: dict[str, Any]) -> None:
    seed = json.loads(json.dumps(doctored["nodes"][FILM]))
    seed.update(
        name="late_fees",
        unique_id="seed.medallion.late_fees",
        resource_type="seed",
        fqn=["medallion", "pagila", "late_fees"],
        description="What a late day costs.",
        constraints=[],
        columns={"fee": {"name": "fee", "description": "In dollars."}},
    )
    seed["config"]["column_types"] = {"fee": "numeric(18,2)"}
    doctored["nodes"]["seed.medallion.late_fees"] = seed
    section = _section(data_dictionary(doctored), "late_fees")
    assert "What a late day costs." in section
    assert "| `fee` | numeric(18,2) |  | In dollars. |" in section


def _section(page: str, name: str) -> str:
    return page.split(f"\n### {name}\n")[1].split("\n##", maxsplit=1)[0]
