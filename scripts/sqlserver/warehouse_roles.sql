-- The roles of a warehouse, each with what its work needs and no more. Run it in the warehouse's
-- database as db_owner, again after adding a source; what is there already stays.
--
--   medallion_loader        scripts/extract.py: the landing schemas, which it owns, and ops
--   medallion_transformer   dbt and deploys: reads landing, owns the layers, and ops
--   medallion_reader        people and reports: reads gold, and nothing else
--
-- Then: create user [etl] for login [etl]; alter role medallion_loader add member [etl];
if database_principal_id('medallion_loader') is null
    exec('create role medallion_loader');
if database_principal_id('medallion_transformer') is null
    exec('create role medallion_transformer');
if database_principal_id('medallion_reader') is null
    exec('create role medallion_reader');
-- Nobody is a member: it owns what both record in, and nothing else. Who may make tables or views in a
-- schema reaches through them all that is its owner's, which of dbo's would be too much.
if database_principal_id('medallion_operations') is null
    exec('create role medallion_operations');

declare @schemas table (name varchar(128), owner varchar(128));
insert into @schemas (name, owner)
values
-- one for each source
('landing_adventureworks', 'medallion_loader'),
('landing_film_catalog', 'medallion_loader'),
('landing_hacker_news', 'medallion_loader'),
('landing_miyabi', 'medallion_loader'),
('landing_pagila', 'medallion_loader'),
('landing_storefront', 'medallion_loader'),
-- the layers of staging and of prod
('seeds', 'medallion_transformer'),
('bronze', 'medallion_transformer'),
('silver', 'medallion_transformer'),
('snapshots', 'medallion_transformer'),
('gold', 'medallion_transformer'),
-- the target's own: a test is a view there while it runs
('dbt', 'medallion_transformer'),
-- what is recorded of runs, by both
('ops', 'medallion_operations');

declare @statements varchar(max);
select
    @statements = string_agg(cast(
        'if schema_id(''' + name + ''') is null exec(''create schema ' + quotename(name)
        + ' authorization ' + quotename(owner) + ''');' as varchar(max)
    ), ' ')
from @schemas;
exec(@statements);

select
    @statements = string_agg(cast(
        'grant select on schema::' + quotename(name) + ' to medallion_transformer;' as varchar(max)
    ), ' ')
from @schemas
where owner = 'medallion_loader';
exec(@statements);

-- To make a table one needs this, and a schema that one owns or may alter.
grant create table to medallion_loader;
grant create table to medallion_transformer;
grant create view to medallion_transformer;

-- Both record their runs, and make the tables for it.
grant select, insert, update, alter, references on schema::ops to medallion_loader;
grant select, insert, update, delete, alter, references on schema::ops to medallion_transformer;

-- A deploy builds in schemas beside the layers, and keeps what it replaces in others. It makes them
-- for the owner of the layers, so that what is in them may move without another right.
grant create schema to medallion_transformer;

-- What depends on a view, whether its text has changed, and to whom others have granted what: both
-- give it again to what replaces a table.
grant view definition to medallion_loader;
grant view definition to medallion_transformer;
grant select on sys.sql_expression_dependencies to medallion_transformer;

grant select on schema::gold to medallion_reader;
