"""The demo source adventureworks: what happens there in a day."""

from __future__ import annotations

from databases import Database
from demo_days import Days

ORDERS = '"Sales"."SalesOrderHeader"', '"SalesOrderID"'
CUSTOMERS = '"Sales"."Customer"', '"CustomerID"'
PRICES = 'select "ProductID", "ListPrice" from "Production"."Product"'


def test_a_day_at_adventureworks(source: Database) -> None:
    days = Days("adventureworks", source)
    orders, customers = days.keys(*ORDERS), days.keys(*CUSTOMERS)
    before, prices = source.scalar("select story_at from demo.clock"), dict(source.query(PRICES))
    days.tick()
    start, end = source.query("select day_start, story_at from demo.clock")[0]
    new = sorted(days.keys(*ORDERS) - orders)

    assert start == before
    assert sum(price != prices[product] for product, price in source.query(PRICES)) == 2
    assert len(customers - days.keys(*CUSTOMERS)) == 1
    assert len(days.keys(*CUSTOMERS) - customers) == 3
    assert len(orders - days.keys(*ORDERS)) == 2
    placed = 'select "OrderDate", "CustomerID" from "Sales"."SalesOrderHeader" where {} = any(%s)'
    first, second, third, *late = source.query(
        placed.format('"SalesOrderID"') + ' order by "SalesOrderID"', [new]
    )
    assert first[1] == max(customers) + 1, "who registers first, orders at once"
    assert all(start <= ordered_at < end for ordered_at, _ in (first, second, third))
    assert len(late) == 2
    assert all(ordered_at < start for ordered_at, _ in late)
    shipped = source.query(
        'select "ShipDate" - "OrderDate", "Status" from "Sales"."SalesOrderHeader" '
        'where "ModifiedDate" = %s and "Status" > 3 and "RevisionNumber" = 8',
        [end],
    )
    assert shipped
    corrected = 'select count(*) from "Sales"."SalesOrderHeader" where "RevisionNumber" = 9'
    assert source.scalar(corrected) == 1


def test_a_deleted_order_comes_back_with_its_lines(source: Database) -> None:
    days = Days("adventureworks", source)
    before = days.keys(*ORDERS)
    days.tick()
    gone = sorted(before - days.keys(*ORDERS))
    assert len(gone) == 2
    days.tick()
    assert days.keys(*ORDERS) & set(gone) == {gone[0]}
    back, lines = source.query(
        'select header."ModifiedDate" = story_at, (select count(*) from "Sales"."SalesOrderDetail" '
        'as line where line."SalesOrderID" = header."SalesOrderID") '
        'from "Sales"."SalesOrderHeader" as header cross join demo.clock '
        'where header."SalesOrderID" = %s',
        gone[:1],
    )[0]
    assert back
    assert lines >= 1


def test_each_day_is_written_later_than_the_day_before(source: Database) -> None:
    days = Days("adventureworks", source)
    newest = 'select max("ModifiedDate") from "Sales"."SalesOrderHeader"'
    seen = source.scalar(newest)
    for _ in range(10):  # the story catches up with the clock on the wall after seven days
        before = days.keys(*ORDERS)
        days.tick()
        written = source.query(
            'select min("ModifiedDate"), max("ModifiedDate"), max("OrderDate") '
            'from "Sales"."SalesOrderHeader" where "SalesOrderID" <> all(%s)',
            [list(before)],
        )[0]
        assert written[0] > seen
        assert written[2] < days.today.replace(tzinfo=None)
        seen = written[1]
