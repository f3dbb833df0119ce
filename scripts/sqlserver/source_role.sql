-- The role that extracts from a source on SQL Server. Run it in the source's database as db_owner,
-- with the schemas that are read; it can't change a row there.
--
-- Then: create user [reader] for login [reader]; alter role medallion_extractor add member [reader];
if database_principal_id('medallion_extractor') is null
    exec('create role medallion_extractor');

declare @schemas table (name varchar(128));
insert into @schemas (name)
values ('Sales'), ('Person'), ('Production'), ('dbo');

-- Without the second right change tracking can't be used: its changes are not to be seen. Added up,
-- because SQL Server 2016 has no string_agg.
declare @statements varchar(max) = '';
select
    @statements = @statements + 'grant select, view change tracking on schema::'
    + quotename(name) + ' to medallion_extractor;'
from @schemas
where schema_id(name) is not null;
exec(@statements);

-- The types of columns, keys and row counts, as the catalogue has them.
grant view definition to medallion_extractor;
