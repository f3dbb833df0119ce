-- How `adventureworks` does business: customers who register, orders that are placed and totalled,
-- for the history and for each tick alike.

-- How far the story has come: one row, that each tick moves on by a day. The clock of the source is
-- UTC, and `ModifiedDate` is a moment of the story.
create table demo.clock (
    scale numeric not null,
    tick integer not null,
    day_start timestamp not null,    -- the last day simulated: from here …
    story_at timestamp not null,     -- … to here
    first_order_id integer not null, -- of the last day
    customers integer not null,      -- at the beginning
    orders integer not null,         -- at the beginning
    last_customer integer not null   -- the number of the last one who ever registered
);

-- Customer number i is CustomerID 11000 + i, the person 1000000 + i and lives at the address 2 * i.
-- Every tenth is a store, 300 + i / 10, and the person is its contact.
create function demo.make_customers(first_number integer, last_number integer, written_at timestamp)
returns void
language sql
begin atomic
    insert into "Person"."Address" (
        "AddressID", "AddressLine1", "AddressLine2", "City", "StateProvinceID", "PostalCode",
        "ModifiedDate"
    )
    select
        2 * i + second,
        1 + demo.below(9000, 2 * i + second, 11) || ' ' || demo.pick(
            array[
                'Cedar Avenue', 'Rue de la Gare', 'Lindenstraße', 'Bayview Circle', 'High Street',
                'Mount Olivet Drive', 'Chemin du Château', 'Birch Bark Lane', 'Wharf Road'
            ],
            2 * i + second, 12
        ),
        case
            when i % 9 = 0 then 'Unit ' || 1 + demo.below(40, i, 13)
            when i % 13 = 0 then ''
        end,
        place.city,
        state."StateProvinceID",
        place.postal_code,
        coalesce(written_at, clock.story_at - interval '1 day' * (31 + demo.below(700, i, 14)))
    from generate_series(first_number, last_number) as numbers (i)
    cross join generate_series(0, 1) as addresses (second)
    cross join demo.clock
    inner join demo.place on place.place_id = 1 + demo.below(28, 2 * i + second, 15)
    inner join "Person"."StateProvince" as state
        on state."StateProvinceCode" = place.state_province_code
        and state."CountryRegionCode" = place.country_region_code
    where second = 0 or i % 7 = 0
    order by 2 * i + second;

    insert into "Person"."Person" (
        "BusinessEntityID", "PersonType", "Title", "FirstName", "MiddleName", "LastName", "Suffix",
        "EmailPromotion", "ModifiedDate"
    )
    select
        1000000 + i,
        case when i % 10 = 0 then 'SC' else 'IN' end,
        case when i % 8 = 0 then demo.pick(array['Mr.', 'Ms.', 'Dr.'], i, 16) end,
        demo.first_name(i),
        case when i % 3 = 0 then demo.pick(array['A.', 'J', 'M', 'Lee', 'R.'], i, 17) end,
        demo.last_name(i),
        case when i % 97 = 0 then 'Jr.' end,
        demo.below(3, i, 18),
        coalesce(written_at, clock.story_at - interval '1 day' * (31 + demo.below(700, i, 14)))
    from generate_series(first_number, last_number) as numbers (i)
    cross join demo.clock
    order by i;

    insert into "Person"."EmailAddress" (
        "BusinessEntityID", "EmailAddressID", "EmailAddress", "ModifiedDate"
    )
    select
        "BusinessEntityID",
        "BusinessEntityID" - 1000000,
        lower(regexp_replace("FirstName", '[^A-Za-z]', '', 'g')) || "BusinessEntityID" - 1000000
        || '@adventure-works.example',
        "ModifiedDate"
    from "Person"."Person"
    where "BusinessEntityID" between 1000000 + first_number and 1000000 + last_number
    order by "BusinessEntityID";

    insert into "Sales"."Store" ("BusinessEntityID", "Name", "SalesPersonID", "ModifiedDate")
    select 300 + i / 10, demo.shop_name(i), 274 + demo.below(17, i, 19), "ModifiedDate"
    from generate_series(first_number, last_number) as numbers (i)
    inner join "Person"."Person" on "BusinessEntityID" = 1000000 + i
    where i % 10 = 0
    order by i;

    insert into "Person"."BusinessEntityAddress" (
        "BusinessEntityID", "AddressID", "AddressTypeID", "ModifiedDate"
    )
    select
        case when i % 10 = 0 then 300 + i / 10 else 1000000 + i end,
        "AddressID",
        case when "AddressID" % 2 = 1 then 5 when i % 10 = 0 then 3 else 2 end,
        "ModifiedDate"
    from "Person"."Address"
    cross join lateral (select "AddressID" / 2 as i) as numbers
    -- Of two, nobody knows where they live.
    where "AddressID" between 2 * first_number and 2 * last_number + 1 and i not in (55, 56)
    order by "AddressID";

    insert into "Sales"."Customer" (
        "CustomerID", "PersonID", "StoreID", "TerritoryID", "ModifiedDate"
    )
    select
        11000 + i,
        1000000 + i,
        case when i % 10 = 0 then 300 + i / 10 end,
        "TerritoryID",
        address."ModifiedDate"
    from generate_series(first_number, last_number) as numbers (i)
    inner join "Person"."Address" as address on address."AddressID" = 2 * i
    inner join "Person"."StateProvince" as state
        on state."StateProvinceID" = address."StateProvinceID"
    order by i;
end;

-- What becomes of an order: 5 shipped, 6 cancelled, 4 rejected.
create function demo.last_status(order_id integer) returns smallint
language sql immutable parallel safe
return case
    when demo.below(100, order_id, 21) < 3 then 6
    when demo.below(100, order_id, 21) < 4 then 4
    else 5
end;

-- The header's amounts, out of its lines.
create function demo.total_orders(first_id integer, last_id integer) returns void
language sql
begin atomic
    update "Sales"."SalesOrderHeader"
    set
        "SubTotal" = totals.sub_total,
        "TaxAmt" = round(totals.sub_total * 0.08, 4),
        "Freight" = round(totals.sub_total * 0.025, 4)
    from (
        select "SalesOrderID", sum("LineTotal") as sub_total
        from "Sales"."SalesOrderDetail"
        where "SalesOrderID" between first_id and last_id
        group by "SalesOrderID"
    ) as totals
    where "SalesOrderHeader"."SalesOrderID" = totals."SalesOrderID";
end;

-- The orders placed between two moments, numbered from first_id; `growth` below 1 makes the later
-- part of the time busier. A quarter of them is by stores, which order more of everything. The last
-- customer of the beginning never orders; `first_customer` is the number of the first order's.
create function demo.make_orders(
    from_at timestamp,
    to_at timestamp,
    first_id integer,
    orders integer,
    growth double precision,
    first_customer integer,
    written_at timestamp
)
returns void
language sql
begin atomic
    insert into "Sales"."SalesOrderHeader" (
        "SalesOrderID", "RevisionNumber", "OrderDate", "DueDate", "ShipDate", "Status",
        "OnlineOrderFlag", "PurchaseOrderNumber", "CustomerID", "SalesPersonID", "TerritoryID",
        "BillToAddressID", "ShipToAddressID", "ModifiedDate"
    )
    select
        drawn.order_id,
        8,
        drawn.ordered_at,
        drawn.ordered_at + interval '12 days',
        case
            when demo.last_status(drawn.order_id) = 5 and drawn.is_over
                then drawn.ordered_at + interval '7 days'
        end,
        case
            when drawn.is_over then demo.last_status(drawn.order_id)
            else 1 + demo.below(3, drawn.order_id, 22)
        end,
        customer."StoreID" is null,
        case
            when customer."StoreID" is not null
                then 'PO' || lpad(demo.below(1000000000, drawn.order_id, 23)::text, 10, '0')
        end,
        customer."CustomerID",
        store."SalesPersonID",
        customer."TerritoryID",
        2 * drawn.customer_number,
        2 * drawn.customer_number + case when drawn.customer_number % 7 = 0 then 1 else 0 end,
        coalesce(written_at, least(drawn.ordered_at + interval '7 days', drawn.story_at))
    from (
        select
            moments.order_id,
            moments.ordered_at,
            clock.story_at,
            moments.ordered_at + interval '7 days' < clock.story_at as is_over,
            case
                when moments.order_id = first_id and first_customer is not null
                    then first_customer
                when demo.below(4, moments.order_id, 24) = 0
                    then 10 * (1 + demo.below((clock.customers - 1) / 10, moments.order_id, 25))
                when number.person % 10 = 0 then number.person - 1
                else number.person
            end as customer_number
        from (
            select
                first_id + i as order_id,
                date_trunc(
                    'second',
                    from_at + (to_at - from_at) * power(
                        (i + demo.uniform(first_id + i, 26)) / orders, growth
                    )
                ) as ordered_at
            from generate_series(0, orders - 1) as numbers (i)
        ) as moments
        cross join demo.clock
        cross join lateral (
            select 1 + floor(
                (clock.customers - 1) * power(demo.uniform(moments.order_id, 27), 1.2)
            )::integer as person
        ) as number
    ) as drawn
    inner join "Sales"."Customer" as customer
        on customer."CustomerID" = 11000 + drawn.customer_number
    left join "Sales"."Store" as store on store."BusinessEntityID" = customer."StoreID"
    order by drawn.order_id;

    insert into "Sales"."SalesOrderDetail" (
        "SalesOrderID", "CarrierTrackingNumber", "OrderQty", "ProductID", "SpecialOfferID",
        "UnitPrice", "UnitPriceDiscount", "ModifiedDate"
    )
    select
        line."SalesOrderID",
        case
            when line."ShipDate" is not null
                then upper(substr(md5(line."SalesOrderID"::text), 1, 10))
        end,
        line.quantity,
        line."ProductID",
        offer."SpecialOfferID",
        line.unit_price,
        offer."DiscountPct",
        coalesce(written_at, line."OrderDate")
    from (
        select
            header."SalesOrderID",
            header."OrderDate",
            header."ShipDate",
            product."ProductID",
            line_number,
            round(
                product."ListPrice" * case when header."OnlineOrderFlag" then 1 else 0.6 end, 2
            ) as unit_price,
            case
                when not header."OnlineOrderFlag"
                    then 1 + floor(24 * power(demo.uniform(part.key, 31), 3))
                when product."ListPrice" > 200 then 1
                else 1 + demo.below(3, part.key, 31)
            end as quantity,
            case
                when header."OnlineOrderFlag" and demo.below(12, part.key, 32) = 0
                    then 5 + demo.below(3, part.key, 33)
            end as campaign
        from "Sales"."SalesOrderHeader" as header
        cross join lateral generate_series(
            1,
            case
                when header."OnlineOrderFlag"
                    then (array[1, 1, 1, 2, 2, 3])[1 + demo.below(6, header."SalesOrderID", 34)]
                else 3 + demo.below(9, header."SalesOrderID", 34)
            end
        ) as numbers (line_number)
        cross join lateral (
            select header."SalesOrderID" * 16::bigint + line_number as key
        ) as part
        -- 299 products are for sale, and none is in an order twice.
        inner join "Production"."Product" as product
            on product."ProductID"
            = 682 + (header."SalesOrderID" * 7919::bigint + line_number * 37) % 299
        where header."SalesOrderID" between first_id and first_id + orders - 1
    ) as line
    inner join "Sales"."SpecialOffer" as offer
        on offer."SpecialOfferID" = coalesce(
            line.campaign, case when line.quantity > 20 then 3 when line.quantity > 10 then 2 end, 1
        )
    order by line."SalesOrderID", line.line_number;

    select demo.total_orders(first_id, first_id + orders - 1);
end;

-- Orders that a tick took away and a later tick brings back, with their lines.
create table demo.withdrawn_order (like "Sales"."SalesOrderHeader", returns_at integer);
create table demo.withdrawn_line (like "Sales"."SalesOrderDetail");
