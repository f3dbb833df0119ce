"""Rows that are written while the tables of their source are read, one after the other."""

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

RENTED = "+fact_rental", "+fact_payment", "+dim_rental_customer"
RENTALS = "br_pagila__customer+", "br_pagila__inventory+", "br_pagila__rental+"
# By a customer who registers meanwhile, and of a copy that is bought meanwhile and paid.
RENTAL = """
    alter table rental disable trigger all;
    alter table payment disable trigger all;
    insert into rental (rental_id, rental_date, inventory_id, customer_id, staff_id)
    values (990001, now(), 1, 990001, 1), (990002, now(), 990002, 1, 1);
    insert into payment (payment_id, customer_id, staff_id, rental_id, amount, payment_date)
    values (990001, 990001, 1, 990001, 1, now()), (990002, 1, 1, 990002, 1, now())
"""
CUSTOMER_AND_COPY = """
    insert into customer (customer_id, store_id, first_name, last_name, address_id)
    values (990001, 1, 'ADA', 'BELL', 1);
    insert into inventory (inventory_id, film_id, store_id) values (990002, 1, 1)
"""


def refresh(name: str, source: Database, warehouse: Database, *command: str) -> None:
    env = {**warehouse.env, f"{name.upper()}_URL": source.url}
    extracted = script("extract.py", "--source", name, env=env)
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
    refresh(
        "adventureworks", source, warehouse, "build", *SALES, "--exclude-resource-type", "unit_test"
    )
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
    # Within the day, too, by the claim that is about rows.
    batch = warehouse.scalar("select max(batch_id) from ops.extract_batches")
    within = {"MEDALLION_TESTED_BATCH": str(batch), "MEDALLION_WAITING_BATCH": str(batch)}
    asked = "test", "--select", claims[0]
    assert dbt(*asked, env={**warehouse.env, **within}).returncode == 0, "when it had been asked"
    within["MEDALLION_WAITING_BATCH"] = "1"
    assert "ERROR=1" in dbt(*asked, env={**warehouse.env, **within}).stdout

    source.execute(LINE.format(WITHOUT_LINES))
    source.execute(ORDER.format(WITHOUT_ORDER))
    refresh("adventureworks", source, warehouse, "run", "--select", *LINES)
    assert warehouse.scalar(facts) == lines + 1


def test_a_rental_in_flight_waits_for_its_copy_and_not_for_its_customer(
    source: Database, warehouse: Database
) -> None:
    demo_sources.build(source.url, "pagila", SCALE)
    source.execute(RENTAL)
    facts = (
        "select rental_id, (select count(*) from dev_test_gold.fact_payment as p"
        " where p.rental_id = r.rental_id)"
        " from dev_test_gold.fact_rental as r where rental_id > 990000 order by 1"
    )
    plain = "--indirect-selection", "cautious", "--exclude-resource-type", "unit_test"
    refresh("pagila", source, warehouse, "build", "--select", *RENTED, *plain)
    assert warehouse.query(facts) == [(990001, 1)]

    # Three hours later it would be an error.
    for table, moment in (("rental", "last_update"), ("payment", "payment_date")):
        warehouse.execute(
            f"update dev_test_bronze.br_pagila__{table} "
            f"set {moment} = {moment} - interval '3 hours' where rental_id > 990000"
        )
    claims = "every_rental_is_of_a_known_copy", "every_rental_is_by_a_known_customer"
    equal = "fact_rental_equals_the_source", "fact_payment_equals_the_source"
    tested = dbt("test", "--select", *claims, *equal, env=warehouse.env)
    assert "ERROR=4" in tested.stdout, tested.stdout

    source.execute(CUSTOMER_AND_COPY)
    refresh("pagila", source, warehouse, "run", "--select", *RENTALS)
    assert warehouse.query(facts) == [(990001, 1), (990002, 1)]
