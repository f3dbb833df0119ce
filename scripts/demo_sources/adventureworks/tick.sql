-- The next day at the demo source `adventureworks`. Its cost grows with a day's rows, not with the
-- tables.
--
-- What happens on each day:
--   2 products change their price, at the beginning of the day
--   3 customers register (the first one orders at once) and 1 who never ordered is deleted
--   a day's orders; those of a week ago are shipped, cancelled or rejected
--   0.2 % of the customers (at least 3) change their e-mail, name or territory
--   2 orders arrive late: placed 12 days ago, written now
--   1 order of three weeks ago is corrected: one more of its first line, and new totals
--   2 orders of the day before are deleted, with their lines; 1 of them is back a day later
--
-- All that is written has a ModifiedDate later than that of the day before: `demo.clock.story_at`,
-- for prices `day_start`. When the story has caught up with the clock on the wall, the day ends
-- now.

update demo.clock
set
    tick = tick + 1,
    day_start = story_at,
    story_at = demo.day_after(story_at at time zone 'UTC') at time zone 'UTC';

update "Production"."Product"
set
    "ListPrice" = round("ListPrice" * case when clock.tick % 2 = 0 then 0.94 else 1.08 end, 2),
    "ModifiedDate" = clock.day_start
from demo.clock
cross join lateral generate_series(1, 2) as series (i)
where "ProductID" = 687 + (clock.tick * 101 + series.i * 17) % 294;

-- Brought back.
with back as (
    delete from demo.withdrawn_order
    where returns_at <= (select tick from demo.clock)
    returning *
)

insert into "Sales"."SalesOrderHeader" (
    "SalesOrderID", "RevisionNumber", "OrderDate", "DueDate", "ShipDate", "Status",
    "OnlineOrderFlag", "PurchaseOrderNumber", "CustomerID", "SalesPersonID", "TerritoryID",
    "BillToAddressID", "ShipToAddressID", "SubTotal", "TaxAmt", "Freight", "Comment", "ModifiedDate"
)
select
    "SalesOrderID", "RevisionNumber", "OrderDate", "DueDate", "ShipDate", "Status",
    "OnlineOrderFlag", "PurchaseOrderNumber", "CustomerID", "SalesPersonID", "TerritoryID",
    "BillToAddressID", "ShipToAddressID", "SubTotal", "TaxAmt", "Freight", "Comment", story_at
from back
cross join demo.clock;

with back as (
    delete from demo.withdrawn_line
    where "SalesOrderID" in (select "SalesOrderID" from "Sales"."SalesOrderHeader")
    returning *
)

insert into "Sales"."SalesOrderDetail" (
    "SalesOrderID", "SalesOrderDetailID", "CarrierTrackingNumber", "OrderQty", "ProductID",
    "SpecialOfferID", "UnitPrice", "UnitPriceDiscount", "ModifiedDate"
)
select
    "SalesOrderID", "SalesOrderDetailID", "CarrierTrackingNumber", "OrderQty", "ProductID",
    "SpecialOfferID", "UnitPrice", "UnitPriceDiscount", story_at
from back
cross join demo.clock;

-- Taken away: the second order of the day before until tomorrow, the third for good.
with gone as (
    delete from "Sales"."SalesOrderDetail" as line
    using demo.clock
    where line."SalesOrderID" in (first_order_id + 1, first_order_id + 2)
    returning line.*
)

insert into demo.withdrawn_line
select gone.*
from gone
cross join demo.clock
where "SalesOrderID" = first_order_id + 1;

with gone as (
    delete from "Sales"."SalesOrderHeader" as header
    using demo.clock
    where header."SalesOrderID" in (first_order_id + 1, first_order_id + 2)
    returning header.*
)

insert into demo.withdrawn_order
select gone.*, tick + 1
from gone
cross join demo.clock
where "SalesOrderID" = first_order_id + 1;

-- The last customer never ordered, whether from the beginning or from the last tick.
create temporary table leaver on commit drop as
select "CustomerID", "PersonID", "StoreID"
from "Sales"."Customer"
order by "CustomerID" desc
limit 1;

delete from "Sales"."Customer" where "CustomerID" = (select "CustomerID" from leaver);
delete from "Sales"."Store" where "BusinessEntityID" = (select "StoreID" from leaver);
delete from "Person"."BusinessEntityAddress"
using leaver
where "BusinessEntityID" in ("PersonID", "StoreID");
delete from "Person"."Address"
using leaver
where "AddressID" in (2 * ("CustomerID" - 11000), 2 * ("CustomerID" - 11000) + 1);
delete from "Person"."EmailAddress"
where "BusinessEntityID" = (select "PersonID" from leaver);
delete from "Person"."Person" where "BusinessEntityID" = (select "PersonID" from leaver);

-- A number is used once: the clock remembers who was deleted.
select demo.make_customers(last_customer + 1, last_customer + 3, story_at) from demo.clock;

update demo.clock set last_customer = last_customer + 3;

-- The seeded defects stay as they are: only customers from 81 on change.
create temporary table changed_customer on commit drop as
select distinct 81 + (clock.tick * 1009 + series.i * 13)::bigint % (clock.customers - 81) as number
from demo.clock
cross join lateral generate_series(1, greatest(3, clock.customers / 500)) as series (i);

update "Person"."EmailAddress"
set
    "EmailAddress" = 'moved.' || number || '.' || tick || '@adventure-works.example',
    "ModifiedDate" = story_at
from changed_customer
cross join demo.clock
where "BusinessEntityID" = 1000000 + number and number % 3 = 0;

update "Person"."Person"
set "LastName" = demo.last_name(number + tick), "ModifiedDate" = story_at
from changed_customer
cross join demo.clock
where "BusinessEntityID" = 1000000 + number and number % 3 = 1;

update "Sales"."Customer"
set "TerritoryID" = 1 + "TerritoryID" % 10, "ModifiedDate" = story_at
from changed_customer
cross join demo.clock
where "CustomerID" = 11000 + number and number % 3 = 2;

-- A week after the order.
update "Sales"."SalesOrderHeader"
set
    "Status" = demo.last_status("SalesOrderID"),
    "ShipDate" = case
        when demo.last_status("SalesOrderID") = 5 then "OrderDate" + interval '7 days'
    end,
    "ModifiedDate" = story_at
from demo.clock
where "Status" in (1, 2, 3)
    and "OrderDate" > story_at - interval '10 days'
    and "OrderDate" + interval '7 days' < story_at;

-- Today's orders; the first is the new customer's.
update demo.clock
set first_order_id = (select max("SalesOrderID") + 1 from "Sales"."SalesOrderHeader");

create temporary table today on commit drop as
select *, greatest(3, round(orders / 730.0))::integer as new_orders
from demo.clock;

select
    demo.make_orders(
        day_start, story_at, first_order_id, new_orders, 1, last_customer - 2, story_at
    )
from today;

-- Late: placed long ago, told only now.
select
    demo.make_orders(
        day_start - interval '12 days',
        story_at - interval '12 days',
        first_order_id + new_orders,
        2,
        1,
        null,
        story_at
    )
from today;

-- Everybody who has a territory says so.
update "Sales"."SalesOrderHeader"
set "TerritoryID" = 1
from today
where "SalesOrderID" >= first_order_id and "SalesOrderHeader"."TerritoryID" is null;

-- A correction.
create temporary table corrected on commit drop as
select header."SalesOrderID", min(line."SalesOrderDetailID") as "SalesOrderDetailID"
from "Sales"."SalesOrderHeader" as header
inner join "Sales"."SalesOrderDetail" as line on line."SalesOrderID" = header."SalesOrderID"
where header."SalesOrderID" = (
    select "SalesOrderID"
    from "Sales"."SalesOrderHeader"
    where "OrderDate" < (select day_start - interval '21 days' from demo.clock) and "Status" = 5
    order by "OrderDate" desc, "SalesOrderID" desc
    limit 1
)
group by header."SalesOrderID";

update "Sales"."SalesOrderDetail" as line
set "OrderQty" = line."OrderQty" + 1, "ModifiedDate" = story_at
from corrected
cross join demo.clock
where line."SalesOrderID" = corrected."SalesOrderID"
    and line."SalesOrderDetailID" = corrected."SalesOrderDetailID";

update "Sales"."SalesOrderHeader" as header
set "RevisionNumber" = header."RevisionNumber" + 1, "ModifiedDate" = story_at
from corrected
cross join demo.clock
where header."SalesOrderID" = corrected."SalesOrderID";

select demo.total_orders("SalesOrderID", "SalesOrderID") from corrected;
