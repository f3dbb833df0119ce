-- The demo source `adventureworks`: a maker of bicycles that sells to people and to shops, in the
-- schemas of the sample database of that name.
--
-- Everything here is invented and depends on two settings only: `demo.scale` and `demo.as_of`. The
-- same settings give the same rows. History is two years long and ends 7 days before `demo.as_of`,
-- so that seven ticks in a row are seven whole days; `demo.clock` knows how far the story has come.
--
-- Scale 1 is about 24 000 rows; the numbers of customers and orders grow with it, products do not.
--
-- Defects, on purpose, the same at every scale (customer number i has the CustomerID 11000 + i):
--   EmailAddress      4  registered twice: the e-mail of 11 to 14, in capitals      (21 to 24)
--                     2  null, 2 empty, 2 with blanks around and odd cases          (41 to 46)
--                     2  without a row; 2 with a second, later address      (47, 48; 49 and 51)
--   Person            8  names that break careless code                             (31 to 38)
--   Customer          3  without territory                                          (52 to 54)
--                     1  store without contact                                      (60)
--   BusinessEntityAddress   2  customers without address                            (55, 56)
--   Store             1  name with blanks around                                    (70)
--   Address           1 in 13 AddressLine2 empty, most null
--   SalesOrderHeader  3  edited a month after they were shipped                 (43661 to 43663)
--                     2  without territory                                      (43671, 43672)
--                     1  comment with line break, quotes and emoji              (43673)
--   SalesOrderDetail  2  given away: a discount of 100 %, for warranty          (of 43681, 43682)
--   Product           1 each: not for sale, at no price; name with blanks around; no subcategory;
--                     discontinued                                          (ProductID 681 to 684)

insert into demo.clock
select
    scale,
    0,
    story_at - interval '1 day',
    story_at,
    43659 + orders - 4,
    customers,
    orders,
    customers
from (
    select
        current_setting('demo.scale')::numeric as scale,
        date_trunc('day', demo.now_at() at time zone 'UTC') - interval '7 days' as story_at
) as settings
cross join lateral (
    select
        greatest(100, round(1000 * scale))::integer as customers,
        greatest(100, round(4500 * scale))::integer as orders
) as sizes;

insert into "Person"."AddressType"
select id, name, story_at - interval '1000 days'
from demo.clock
cross join unnest(array['Billing', 'Home', 'Main Office', 'Primary', 'Shipping', 'Archive'])
with ordinality as names (name, id);

insert into "Person"."CountryRegion"
select code, name, story_at - interval '1000 days'
from demo.clock
cross join (
    values
        ('AU', 'Australia'), ('CA', 'Canada'), ('DE', 'Germany'), ('FR', 'France'),
        ('GB', 'United Kingdom'), ('US', 'United States'), ('CI', 'Côte d''Ivoire')
) as countries (code, name);

insert into "Sales"."SalesTerritory" (
    "TerritoryID", "Name", "CountryRegionCode", "Group", "SalesYTD", "SalesLastYear", "ModifiedDate"
)
select
    id, name, country, area, 100000 * (1 + demo.below(80, id, 41)),
    100000 * (1 + demo.below(60, id, 42)), story_at - interval '1000 days'
from demo.clock
cross join (
    values
        (1, 'Northwest', 'US', 'North America'),
        (2, 'Northeast', 'US', 'North America'),
        (3, 'Central', 'US', 'North America'),
        (4, 'Southwest', 'US', 'North America'),
        (5, 'Southeast', 'US', 'North America'),
        (6, 'Canada', 'CA', 'North America'),
        (7, 'France', 'FR', 'Europe'),
        (8, 'Germany', 'DE', 'Europe'),
        (9, 'Australia', 'AU', 'Pacific'),
        (10, 'United Kingdom', 'GB', 'Europe')
) as territories (id, name, country, area);

insert into "Person"."StateProvince" (
    "StateProvinceCode", "CountryRegionCode", "Name", "TerritoryID", "ModifiedDate"
)
select code, country, name, territory, story_at - interval '1000 days'
from demo.clock
cross join (
    values
        ('WA', 'US', 'Washington', 1), ('OR', 'US', 'Oregon', 1),
        ('MA', 'US', 'Massachusetts', 2), ('NY', 'US', 'New York', 2),
        ('IL', 'US', 'Illinois', 3), ('OH', 'US', 'Ohio', 3),
        ('CA', 'US', 'California', 4), ('AZ', 'US', 'Arizona', 4),
        ('FL', 'US', 'Florida', 5), ('GA', 'US', 'Georgia', 5),
        ('BC', 'CA', 'British Columbia', 6), ('ON', 'CA', 'Ontario', 6), ('QC', 'CA', 'Québec', 6),
        ('42', 'FR', 'Loire', 7), ('25', 'FR', 'Doubs', 7), ('75', 'FR', 'Seine (Paris)', 7),
        ('NW', 'DE', 'Nordrhein-Westfalen', 8), ('BY', 'DE', 'Bayern', 8),
        ('HH', 'DE', 'Hamburg', 8),
        ('VIC', 'AU', 'Victoria', 9), ('NSW', 'AU', 'New South Wales', 9),
        ('TAS', 'AU', 'Tasmania', 9),
        ('ENG', 'GB', 'England', 10), ('SCT', 'GB', 'Scotland', 10)
) as states (code, country, name, territory);

insert into "Person"."Person" (
    "BusinessEntityID", "PersonType", "FirstName", "LastName", "ModifiedDate"
)
select
    id, 'SP', demo.first_name(id + 500), demo.last_name(id + 500), story_at - interval '900 days'
from demo.clock
cross join generate_series(274, 290) as series (id);

insert into "Person"."EmailAddress"
select id, id, 'sales' || id || '@adventure-works.example', story_at - interval '900 days'
from demo.clock
cross join generate_series(274, 290) as series (id);

insert into "Sales"."SalesPerson" (
    "BusinessEntityID", "TerritoryID", "SalesQuota", "Bonus", "CommissionPct", "ModifiedDate"
)
select
    id,
    -- The first one leads the others, and has neither territory nor quota.
    case when id > 274 then 1 + id % 10 end,
    case when id > 274 then 250000 + 50000 * demo.below(2, id, 43) end,
    100 * demo.below(60, id, 44),
    0.01 + 0.001 * demo.below(10, id, 45),
    story_at - interval '900 days'
from demo.clock
cross join generate_series(274, 290) as series (id);

insert into "Production"."ProductCategory"
select id, name, story_at - interval '1000 days'
from demo.clock
cross join unnest(array['Bikes', 'Components', 'Clothing', 'Accessories'])
with ordinality as names (name, id);

insert into "Production"."ProductSubcategory"
select subcategory_id, category_id, subcategory, story_at - interval '1000 days'
from demo.clock
cross join demo.assortment
order by subcategory_id;

insert into "Production"."Product" (
    "ProductID", "Name", "ProductNumber", "MakeFlag", "FinishedGoodsFlag", "Color", "StandardCost",
    "ListPrice", "Size", "Weight", "DaysToManufacture", "ProductLine", "Class", "Style",
    "ProductSubcategoryID", "SellStartDate", "SellEndDate", "DiscontinuedDate", "ModifiedDate"
)
select
    680 + i,
    case when i = 2 then '  ' || name || ' ' else name end,
    upper(substr(item, 1, 2)) || '-' || lpad((1000 + 7 * i)::text, 4, '0'),
    i % 5 <> 0,
    i <> 1,
    case
        when i % 4 <> 0
            then demo.pick(array['Black', 'Blue', 'Red', 'Silver', 'White', 'Yellow'], i, 51)
    end,
    round(list_price * 0.58, 4),
    list_price,
    case
        when category_id = 3 then demo.pick(array['S', 'M', 'L', 'XL'], i, 52)
        when category_id = 1 then (38 + 2 * demo.below(13, i, 52))::text
    end,
    case when category_id < 3 then round((0.1 + 14 * demo.uniform(i, 53))::numeric, 2) end,
    demo.below(5, i, 54),
    case when category_id = 1 then demo.pick(array['M', 'R', 'T'], i, 55) end,
    case when category_id < 3 then demo.pick(array['H', 'M', 'L'], i, 56) end,
    case when category_id = 3 then demo.pick(array['M', 'W', 'U'], i, 57) end,
    case when i <> 3 then subcategory_id end,
    story_at - interval '900 days',
    case when i = 4 then story_at - interval '300 days' end,
    case when i = 4 then story_at - interval '300 days' end,
    story_at - interval '1 day' * (740 + demo.below(100, i, 58))
from (
    select
        i,
        assortment.*,
        demo.product_name(i) as name,
        case
            when i <> 1
                then round((price * (0.6 + 0.8 * demo.uniform(i, 59)))::numeric) + 0.99
            else 0
        end as list_price
    from generate_series(1, 300) as series (i)
    inner join demo.assortment on subcategory_id = 1 + i % 24
) as products
cross join demo.clock
order by i;

insert into "Sales"."SpecialOffer"
select
    id, description, discount, kind, category, story_at - interval '800 days',
    story_at + interval '800 days', min_quantity, max_quantity, story_at - interval '800 days'
from demo.clock
cross join (
    values
        (1, 'No Discount', 0.00, 'No Discount', 'No Discount', 0, null::integer),
        (2, 'Volume Discount 11 to 20', 0.02, 'Volume Discount', 'Reseller', 11, 20),
        (3, 'Volume Discount over 20', 0.05, 'Volume Discount', 'Reseller', 21, null),
        (4, 'Warranty Replacement', 1.00, 'Replacement', 'Customer', 0, 1),
        (5, 'Spring Clearance', 0.10, 'Seasonal Discount', 'Customer', 0, null),
        (6, 'Café Ride Weekend', 0.15, 'Seasonal Discount', 'Customer', 0, null),
        (7, 'Last Year''s Colours', 0.25, 'Excess Inventory', 'Customer', 0, null)
) as offers (id, description, discount, kind, category, min_quantity, max_quantity);

analyze demo.place;
analyze "Person"."StateProvince";

select demo.make_customers(1, customers, null) from demo.clock;

update "Person"."EmailAddress" as email
set "EmailAddress" = upper(original."EmailAddress")
from "Person"."EmailAddress" as original
where email."BusinessEntityID" between 1000021 and 1000024
    and original."BusinessEntityID" = email."BusinessEntityID" - 10;

update "Person"."EmailAddress"
set "EmailAddress" = case
    when "BusinessEntityID" in (1000041, 1000042) then null
    when "BusinessEntityID" in (1000043, 1000044) then ''
    else '  ' || initcap("EmailAddress") || ' '
end
where "BusinessEntityID" between 1000041 and 1000046;

delete from "Person"."EmailAddress" where "BusinessEntityID" in (1000047, 1000048);

insert into "Person"."EmailAddress"
select "BusinessEntityID", 900000 + "EmailAddressID", 'second.' || "EmailAddress", "ModifiedDate"
from "Person"."EmailAddress"
where "BusinessEntityID" in (1000049, 1000051);

update "Person"."Person"
set "FirstName" = odd.first_name, "LastName" = odd.last_name
from (
    values
        (31, '🚵 Mona', 'Wheel 👩‍👩‍👧'), -- outside the basic plane, joined
        (32, E'Zoe\u0308', E'N\u0303un\u0303ez'), -- combining characters, not composed
        (33, 'יעל', 'כהן'), -- right to left
        (34, '美咲', '佐藤'),
        (35, 'padded  ', ' TRAILING '),
        (36, E'No\u00A0Break', E'Zero\u200BWidth'),
        (37, 'Seán', 'O’Neill; -- "quoted"'),
        (38, E'Tab\tbed', E'Two\nLines')
) as odd (customer_number, first_name, last_name)
where "BusinessEntityID" = 1000000 + odd.customer_number;

update "Sales"."Customer"
set
    "TerritoryID" = case when "CustomerID" <> 11060 then null else "TerritoryID" end,
    "PersonID" = case when "CustomerID" <> 11060 then "PersonID" end
where "CustomerID" in (11052, 11053, 11054, 11060);

update "Sales"."Store" set "Name" = '  ' || "Name" || ' ' where "BusinessEntityID" = 307;

analyze "Production"."Product";
analyze "Sales"."Customer";
analyze "Sales"."Store";

select demo.make_orders(story_at - interval '730 days', story_at, 43659, orders, 0.85, null, null)
from demo.clock;

-- Every order of a customer without territory is without one, too: just these two shall be.
update "Sales"."SalesOrderHeader"
set "TerritoryID" = case when "SalesOrderID" not in (43671, 43672) then 1 end
where "SalesOrderID" in (43671, 43672) or "TerritoryID" is null;

update "Sales"."SalesOrderHeader"
set
    "Status" = 5,
    "ShipDate" = "OrderDate" + interval '7 days',
    "ModifiedDate" = "OrderDate" + interval '37 days'
where "SalesOrderID" between 43661 and 43663;

update "Sales"."SalesOrderHeader"
set "Comment" = E'Ring twice.\nAsk for "Zoë" 🚲; not Bob''s'
where "SalesOrderID" = 43673;

update "Sales"."SalesOrderDetail" as line
set "SpecialOfferID" = 4, "UnitPriceDiscount" = 1
where "SalesOrderDetailID" in (
    select min("SalesOrderDetailID")
    from "Sales"."SalesOrderDetail"
    where "SalesOrderID" in (43681, 43682)
    group by "SalesOrderID"
);

select demo.total_orders(43681, 43682);
