"""The demo source film_catalog: what happens there in a day."""

from __future__ import annotations

from databases import Database
from demo_days import Days


def test_a_day_at_film_catalog(source: Database) -> None:
    days = Days("film_catalog", source)
    pairs = "select count(*) from film_actors"
    prices = dict(source.query("select film_id, price from films"))
    films, users, links = (
        days.keys("films", "film_id"),
        days.keys("users", "id"),
        source.scalar(pairs),
    )
    days.tick()
    after = dict(source.query("select film_id, price from films"))
    assert sum(after[film] != price for film, price in prices.items()) == 3
    assert len(days.keys("films", "film_id") - films) == 2
    assert len(days.keys("users", "id") - users) == 3
    assert len(users - days.keys("users", "id")) == 1
    assert source.scalar("select count(*) from demo.withdrawn_film_actors") == 2
    new = source.scalar(
        f"{pairs} where film_id between %s and %s", [max(films) + 1, max(films) + 2]
    )
    assert source.scalar(pairs) == links - 4 + new
