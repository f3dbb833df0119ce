-- Keys and indexes after the rows: faster, and the statistics are of finished tables.

alter table "Person"."Address" add primary key ("AddressID");
alter table "Person"."BusinessEntityAddress"
add primary key ("BusinessEntityID", "AddressID", "AddressTypeID");
alter table "Person"."Person" add primary key ("BusinessEntityID");
alter table "Person"."EmailAddress" add primary key ("BusinessEntityID", "EmailAddressID");
alter table "Sales"."SalesPerson" add primary key ("BusinessEntityID");
alter table "Sales"."Store" add primary key ("BusinessEntityID");
alter table "Sales"."Customer" add primary key ("CustomerID");
alter table "Production"."Product" add primary key ("ProductID");
alter table "Sales"."SalesOrderHeader" add primary key ("SalesOrderID");
alter table "Sales"."SalesOrderDetail" add primary key ("SalesOrderID", "SalesOrderDetailID");

create unique index on "Production"."Product" ("Name");
create index on "Person"."Address" ("ModifiedDate");
create index on "Person"."BusinessEntityAddress" ("AddressID");
create index on "Person"."BusinessEntityAddress" ("ModifiedDate");
create index on "Person"."EmailAddress" ("ModifiedDate");
create index on "Person"."Person" ("ModifiedDate");
create index on "Sales"."Customer" ("ModifiedDate");
create index on "Sales"."SalesOrderHeader" ("CustomerID");
create index on "Sales"."SalesOrderHeader" ("OrderDate");
create index on "Sales"."SalesOrderHeader" ("ModifiedDate");
create index on "Sales"."SalesOrderDetail" ("ProductID");
create index on "Sales"."SalesOrderDetail" ("ModifiedDate");

alter table "Person"."StateProvince"
add foreign key ("CountryRegionCode") references "Person"."CountryRegion",
add foreign key ("TerritoryID") references "Sales"."SalesTerritory";
alter table "Person"."Address"
add foreign key ("StateProvinceID") references "Person"."StateProvince";
alter table "Person"."BusinessEntityAddress"
add foreign key ("AddressID") references "Person"."Address",
add foreign key ("AddressTypeID") references "Person"."AddressType";
alter table "Person"."EmailAddress"
add foreign key ("BusinessEntityID") references "Person"."Person";
alter table "Sales"."SalesTerritory"
add foreign key ("CountryRegionCode") references "Person"."CountryRegion";
alter table "Sales"."SalesPerson"
add foreign key ("BusinessEntityID") references "Person"."Person",
add foreign key ("TerritoryID") references "Sales"."SalesTerritory";
alter table "Sales"."Store" add foreign key ("SalesPersonID") references "Sales"."SalesPerson";
alter table "Sales"."Customer"
add foreign key ("PersonID") references "Person"."Person",
add foreign key ("StoreID") references "Sales"."Store",
add foreign key ("TerritoryID") references "Sales"."SalesTerritory";
alter table "Production"."ProductSubcategory"
add foreign key ("ProductCategoryID") references "Production"."ProductCategory";
alter table "Production"."Product"
add foreign key ("ProductSubcategoryID") references "Production"."ProductSubcategory";
alter table "Sales"."SalesOrderHeader"
add foreign key ("CustomerID") references "Sales"."Customer",
add foreign key ("SalesPersonID") references "Sales"."SalesPerson",
add foreign key ("TerritoryID") references "Sales"."SalesTerritory",
add foreign key ("BillToAddressID") references "Person"."Address",
add foreign key ("ShipToAddressID") references "Person"."Address";
alter table "Sales"."SalesOrderDetail"
add foreign key ("SalesOrderID") references "Sales"."SalesOrderHeader",
add foreign key ("ProductID") references "Production"."Product",
add foreign key ("SpecialOfferID") references "Sales"."SpecialOffer";

analyze;
