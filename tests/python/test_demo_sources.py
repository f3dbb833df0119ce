"""The demo sources: the same rows every time, the defects they promise, and days that go by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest

import demo_sources
from databases import Database, temporary_database

TODAY = datetime(2025, 3, 14, tzinfo=timezone.utc)
SCALE = 0.05

# The defects that the first lines of each create/4_rows.sql promise, and how many rows have each.
DEFECTS = {
    "pagila": {
        "select count(*) from rental where return_date < rental_date": 3,
        "select count(*) from payment where amount = 0": 5,
        "select count(*) from payment where amount < 0": 0,
        "select count(*) from customer as a inner join customer as b on upper(a.email) = b.email "
        "where a.email <> b.email": 4,
        "select count(*) from customer where customer_id between 31 and 38 and (first_name || "
        r"last_name) ~ '[^\x21-\x7f]'": 8,
        "select count(*) from customer where email is null": 2,
        "select count(*) from customer where email = ''": 2,
        "select count(*) from customer where email <> trim(email)": 2,
        "select count(*) from customer where activebool <> (active = 1)": 3,
        "select count(*) from customer where active is null": 2,
        "select count(*) from film where description is null": 1,
        "select count(*) from film where length is null": 1,
        "select count(*) from film where rating is null": 1,
        "select count(*) from film where special_features is null": 1,
        "select count(*) from film where special_features = '{}'": 1,
        "select count(*) from film where title <> rtrim(title)": 1,
        "select count(*) from rental where rental_id % 211 = 0 and return_date is not null": 0,
        "select count(*) from payment where rental_id % 89 = 0": 0,
    },
    "film_catalog": {
        "select count(*) from films where price is null": 3,
        "select count(*) from films where user_rating is null": 4,
        "select count(*) from films where release_date is null": 3,
        "select count(*) from films where release_date > '2025-03-14'": 2,
        "select count(*) from films where rating is null": 2,
        "select count(*) from films where rating = ''": 2,
        "select count(*) from films where rating ~ '[a-z]'": 2,
        "select count(*) from films where rating <> trim(rating)": 1,
        "select count(*) - count(distinct (title, release_date)) from films "
        "where release_date is not null": 3,
        "select count(*) from film_actors left join films using (film_id) where title is null": 3,
        "select count(*) from film_actors left join actors using (actor_id) "
        "where actor_name is null": 2,
        "select count(*) - count(distinct actor_name) from actors": 4,
        "select count(*) - count(distinct (film_id, category_name)) from film_category": 3,
        "select count(*) from film_category where film_id is null": 1,
        "select count(*) from film_category where category_name in ('sci-fi ', 'SCI-FI')": 2,
        "select count(*) from users where email is null": 2,
        "select count(*) from users where email = ''": 2,
        "select count(*) from users where email <> trim(email)": 3,
        "select count(*) from users where date_of_birth = '1900-01-01'": 2,
        "select count(*) from users where date_of_birth is null": 1,
    },
}


def tables(database: Database) -> list[str]:
    found = database.query(
        "select relname from pg_class where relnamespace = 'public'::regnamespace "
        "and relkind in ('r', 'p') and not relispartition order by relname"
    )
    return [name for (name,) in found]


def digest(database: Database) -> dict[str, str]:
    """A checksum of each table's rows."""
    return {
        table: database.scalar(
            f"select md5(string_agg(row::text, e'\\n' order by row::text)) from {table} as row"
        )
        for table in tables(database)
    }


@pytest.fixture(scope="module", params=demo_sources.SOURCES)
def small(request: pytest.FixtureRequest) -> Iterator[tuple[str, Database]]:
    """A small source that no test changes."""
    with temporary_database("demo") as database:
        demo_sources.build(database.url, request.param, SCALE, TODAY)
        yield request.param, database


def test_each_promised_defect_is_there(small: tuple[str, Database]) -> None:
    source, database = small
    assert {query: database.scalar(query) for query in DEFECTS[source]} == DEFECTS[source]


def test_the_defects_do_not_grow_with_the_scale(source: Database) -> None:
    for name, queries in DEFECTS.items():
        with temporary_database("demo") as database:
            demo_sources.build(database.url, name, 0.2, TODAY)
            assert {query: database.scalar(query) for query in queries} == queries


def test_the_same_settings_give_the_same_rows(
    small: tuple[str, Database], source: Database
) -> None:
    name, first = small
    demo_sources.build(source.url, name, SCALE, TODAY)
    assert digest(source) == digest(first)
    assert len(set(digest(first).values())) == len(tables(first))  # and none is empty


def test_another_scale_gives_other_rows(small: tuple[str, Database], source: Database) -> None:
    name, first = small
    demo_sources.build(source.url, name, SCALE * 2, TODAY)
    biggest = {"pagila": "rental", "film_catalog": "films"}[name]
    count = f"select count(*) from {biggest}"
    assert 1.7 < source.scalar(count) / first.scalar(count) < 2.3


def test_scale_1_is_about_100_000_rows(make_database: Callable[[str], Database]) -> None:
    rows = 0
    for name in demo_sources.SOURCES:
        database = make_database("demo")
        demo_sources.build(database.url, name, 1, TODAY)
        rows += sum(database.scalar(f"select count(*) from {table}") for table in tables(database))
    assert 90_000 < rows < 120_000


def test_nothing_happens_in_the_future(small: tuple[str, Database]) -> None:
    name, database = small
    if name == "pagila":
        latest = (
            "select greatest(max(rental_date), max(return_date), max(last_update)) from rental "
            "union all select max(payment_date) from payment"
        )
        for (moment,) in database.query(latest):
            assert moment < TODAY


class Days:
    """A source that lives through days."""

    def __init__(self, name: str, database: Database) -> None:
        self.name, self.database, self.today = name, database, TODAY
        demo_sources.build(database.url, name, SCALE, TODAY)

    def tick(self) -> None:
        self.today += timedelta(days=1)
        demo_sources.tick(self.database.url, self.name, self.today)

    def keys(self, table: str, key: str) -> set[int]:
        return {value for (value,) in self.database.query(f"select {key} from {table}")}


def test_a_day_at_pagila(source: Database) -> None:
    days = Days("pagila", source)
    written = source.scalar("select max(last_update) from rental")
    rentals, customers = days.keys("rental", "rental_id"), days.keys("customer", "customer_id")
    prices = dict(source.query("select film_id, rental_rate from film"))
    open_rentals = source.scalar("select count(*) from rental where return_date is null")
    days.tick()
    changed = "select count(*) from {} where last_update > %s"

    assert len(customers - days.keys("customer", "customer_id")) == 1
    assert len(days.keys("customer", "customer_id") - customers) == 3
    assert len(rentals - days.keys("rental", "rental_id")) == 2
    assert len(days.keys("rental", "rental_id") - rentals) >= 6
    assert source.scalar(changed.format("customer"), [written]) == 3 + 3
    assert source.scalar(changed.format("film"), [written]) == 2
    after = dict(source.query("select film_id, rental_rate from film"))
    assert sum(after[film] != price for film, price in prices.items()) == 2
    late = "select count(*) from rental where last_update > %s and rental_date < %s"
    assert source.scalar(f"{late} and return_date is not null", [written, TODAY]) >= 2
    assert source.scalar("select count(*) from rental where return_date is null") < open_rentals * 2
    assert source.scalar("select max(payment_date) from payment") > written


def test_a_deleted_rental_comes_back_with_its_payments(source: Database) -> None:
    days = Days("pagila", source)
    before = days.keys("rental", "rental_id")
    days.tick()
    gone = sorted(before - days.keys("rental", "rental_id"))
    assert len(gone) == 2
    days.tick()
    assert days.keys("rental", "rental_id") & set(gone) == {gone[0]}
    back, payments = source.query(
        "select last_update = written_at, (select count(*) from payment where payment.rental_id = "
        "rental.rental_id) from rental cross join demo.clock where rental_id = %s",
        gone[:1],
    )[0]
    assert back
    assert payments >= 1


def test_every_day_is_written_later_than_the_day_before(source: Database) -> None:
    days = Days("pagila", source)
    seen = source.scalar("select max(last_update) from rental")
    for _ in range(10):  # the story catches up with the clock on the wall after seven days
        before = days.keys("rental", "rental_id")
        days.tick()
        new = source.query(
            "select min(last_update), max(last_update), max(rental_date) from rental "
            "where rental_id <> all(%s)",
            [list(before)],
        )[0]
        assert new[0] > seen
        assert new[2] <= days.today
        seen = new[1]


def test_the_same_days_give_the_same_rows(make_database: Callable[[str], Database]) -> None:
    for name in demo_sources.SOURCES:
        digests = []
        for _ in range(2):
            days = Days(name, make_database("demo"))
            for _ in range(3):
                days.tick()
            digests.append(digest(days.database))
        assert digests[0] == digests[1]


def test_the_seeded_defects_outlive_the_days(make_database: Callable[[str], Database]) -> None:
    for name in demo_sources.SOURCES:
        days = Days(name, make_database("demo"))
        for _ in range(8):
            days.tick()
        queries = DEFECTS[name]
        assert {query: days.database.scalar(query) for query in queries} == queries


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


def test_ticks_at_the_same_time_are_two_days(source: Database) -> None:
    days = Days("pagila", source)
    program = f"import demo_sources; demo_sources.tick({source.url!r}, 'pagila')"
    ticks = [
        subprocess.Popen([sys.executable, "-c", program], cwd=demo_sources.FOLDER.parent)
        for _ in range(2)
    ]
    assert [tick.wait() for tick in ticks] == [0, 0]
    assert source.scalar("select tick from demo.clock") == 2
    assert days.keys("rental", "rental_id")


def test_a_change_by_hand_gets_a_new_last_update(source: Database) -> None:
    demo_sources.build(source.url, "pagila", SCALE, TODAY)
    changed = "update customer set first_name = 'X' where customer_id = 70 returning last_update"
    assert source.scalar(changed) > TODAY


def test_a_source_is_made_once(make_database: Callable[[str], Database]) -> None:
    admin = make_database("admin")
    name = f"{admin.name}_pagila"
    try:
        assert demo_sources.create(admin.url, "pagila", SCALE, TODAY, name)
        assert not demo_sources.create(admin.url, "pagila", 5, TODAY, name)
        assert "scale 0.05, day 0" in demo_sources.describe(Database(name).url)
    finally:
        admin.execute(f"drop database if exists {name} with (force)")


def test_a_killed_creation_leaves_no_source(make_database: Callable[[str], Database]) -> None:
    admin = make_database("admin")
    name = f"{admin.name}_pagila"
    exists = "select count(*) from pg_database where datname = %s"
    program = (
        f"import demo_sources; demo_sources.create({admin.url!r}, 'pagila', 20, None, {name!r})"
    )
    creation = subprocess.Popen([sys.executable, "-c", program], cwd=demo_sources.FOLDER.parent)
    try:
        deadline = time.monotonic() + 20
        while not admin.scalar(exists, [f"{name}__unfinished"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        os.kill(creation.pid, signal.SIGKILL)
        creation.wait()
        assert admin.scalar(exists, [name]) == 0
        assert demo_sources.create(admin.url, "pagila", SCALE, TODAY, name)
        assert Database(name).scalar("select count(*) from rental") > 1000
        assert admin.scalar(exists, [f"{name}__unfinished"]) == 0
    finally:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"drop database if exists {name}__unfinished with (force)")


def test_the_sql_draws_no_lots() -> None:
    for script in demo_sources.FOLDER.rglob("*.sql"):
        assert "random(" not in script.read_text(encoding="utf-8")
