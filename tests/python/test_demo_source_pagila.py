"""The demo source pagila: what happens there in a day."""

from __future__ import annotations

from databases import Database
from demo_days import TODAY, Days


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
