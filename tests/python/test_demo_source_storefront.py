"""The demo source storefront: what happens there in a day."""

from __future__ import annotations

from databases import Database
from demo_days import Days

ROWS = "select transaction_id, t.*::text from dbo.transactions as t"


def test_a_day_at_storefront(source: Database) -> None:
    days = Days("storefront", source)
    written = source.scalar("select max(updated_at) from dbo.transactions")
    customers = days.keys("dbo.customers", "customer_id")
    transactions = dict(source.query(ROWS))
    pending = {key for key, row in transactions.items() if "pending" in row}
    days.tick()
    now_customers = days.keys("dbo.customers", "customer_id")
    now = dict(source.query(ROWS))
    new = now.keys() - transactions.keys()

    assert len(customers - now_customers) == 1
    assert len(now_customers - customers) == 3
    assert len(transactions.keys() - now.keys()) == 2
    assert len(new) == 5 + 2  # the day's own and the late ones
    late = source.query(
        "select transaction_id from dbo.transactions cross join demo.clock "
        "where transaction_id = any(%s) and transaction_date < day_start - interval '10 days'",
        [list(new)],
    )
    assert len(late) == 2
    changed = {key for key in now.keys() & transactions.keys() if now[key] != transactions[key]}
    assert pending & now.keys() <= changed
    assert len(changed - pending) == 1  # the correction
    touched = "select transaction_id from dbo.transactions where updated_at > %s"
    assert {key for (key,) in source.query(touched, [written])} == new | changed


def test_a_withdrawn_payment_comes_back(source: Database) -> None:
    days = Days("storefront", source)
    before = dict(source.query(ROWS))
    days.tick()
    gone = sorted(before.keys() - days.keys("dbo.transactions", "transaction_id"))
    assert len(gone) == 2
    days.tick()
    assert days.keys("dbo.transactions", "transaction_id") & set(gone) == {gone[0]}
    assert source.scalar(
        "select updated_at = written_at from dbo.transactions cross join demo.clock "
        "where transaction_id = %s",
        gone[:1],
    )


def test_customers_say_their_days_in_every_form(source: Database) -> None:
    Days("storefront", source)
    for form in (r"^\d{4}-\d\d-\d\d$", r"^\d{4}-\d\d-\d\d \d", r"\d\.\d\d\.\d", r"\d/\d\d/\d"):
        for column in ("created_date", "modified_date"):
            rows = f"select count(*) from dbo.customers where {column} ~ '{form}'"
            assert source.scalar(rows) > 10
