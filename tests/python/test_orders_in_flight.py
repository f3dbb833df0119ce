"""Orders that are placed while the tables of adventureworks are read, one after the other."""

from __future__ import annotations

import demo_sources
from commands import dbt, script
from databases import Database
from demo_days import SCALE

SALES = "--select", "+exposure:sales_overview", "--indirect-selection", "cautious"
LINES = "br_adventureworks__sales_order_header+", "br_adventureworks__sales_order_detail+"
ORDER = """
    insert into "Sales"."SalesOrderHeader" (
        "SalesOrderID", "OrderDate", "DueDate", "CustomerID", "BillToAddressID", "ShipToAddressID",
        "SubTotal", "ModifiedDate"
    )
    select {0}, now, now, "CustomerID", "BillToAddressID", "ShipToAddressID", 10, now
    from "Sales"."SalesOrderHeader", (select now() at time zone 'UTC') as clock (now)
    where "SalesOrderID" = 43659
"""
LINE = """
    insert into "Sales"."SalesOrderDetail" (
        "SalesOrderID", "OrderQty", "ProductID", "SpecialOfferID", "UnitPrice", "ModifiedDate"
    )
    select {0}, 1, 690, 1, 10, now() at time zone 'UTC'
"""
WITHOUT_LINES, WITHOUT_ORDER = 990001, 990002


def refresh(source: Database, warehouse: Database, *command: str) -> None:
    env = {**warehouse.env, "ADVENTUREWORKS_URL": source.url}
    extracted = script("extract.py", "--source", "adventureworks", env=env)
    assert extracted.returncode == 0, extracted.stderr
    built = dbt(*command, env=env)
    assert built.returncode == 0, built.stdout


def test_an_order_in_flight_waits_and_keeps_no_other_waiting(
    source: Database, warehouse: Database
) -> None:
    demo_sources.build(source.url, "adventureworks", SCALE)
    keeps_lines = 'alter table "Sales"."SalesOrderDetail" disable trigger all'
    source.execute(ORDER.format(WITHOUT_LINES))
    source.execute(f"{keeps_lines}; {LINE.format(WITHOUT_ORDER)}")
    facts = "select count(*) from dev_test_gold.fact_sales_order_line"
    refresh(source, warehouse, "build", *SALES, "--exclude-resource-type", "unit_test")
    lines = source.scalar('select count(*) from "Sales"."SalesOrderDetail"')
    assert warehouse.scalar(facts) == lines - 1

    # Three hours later it would be an error.
    for table in ("header", "detail"):
        warehouse.execute(
            f"update dev_test_bronze.br_adventureworks__sales_order_{table} "
            "set modified_date = modified_date - interval '3 hours' where sales_order_id > 990000"
        )
    claims = "every_line_is_of_an_order_that_exists", "orders_add_up_to_their_lines"
    tested = dbt("test", "--select", *claims, env=warehouse.env)
    assert "ERROR=2" in tested.stdout, tested.stdout

    source.execute(LINE.format(WITHOUT_LINES))
    source.execute(ORDER.format(WITHOUT_ORDER))
    refresh(source, warehouse, "run", "--select", *LINES)
    assert warehouse.scalar(facts) == lines + 1
