-- The role that extracts from a source on SQL Server. Run it in the source's database as db_owner,
-- with the schemas that are read; it can't change a row there.
--
-- Then: create user [reader] for login [reader]; alter role medallion_extractor add member [reader];
if database_principal_id('medallion_extractor') is null
    exec('create role medallion_extractor');

declare @schemas table (name varchar(128));
insert into @schemas (name)
values ('Sales'), ('Person'), ('Production'), ('dbo');

declare @statements varchar(max);
select
    @statements = string_agg(cast(
        'grant select on schema::' + quotename(name) + ' to medallion_extractor;' as varchar(max)
    ), ' ')
from @schemas
where schema_id(name) is not null;
exec(@statements);

-- The types of columns, keys and row counts, as the catalogue has them.
grant view definition to medallion_extractor;
