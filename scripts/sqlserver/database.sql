-- The database of a warehouse, if it is not there yet: run as an administrator, in master.
--
-- Its varchar holds all of Unicode and compares as Postgres does, by case. Readers see the last
-- committed rows and wait for no writer, nor does a writer wait for them.
if db_id('warehouse') is null
    exec('create database warehouse collate Latin1_General_100_BIN2_UTF8');

if exists (select 1 from sys.databases where name = 'warehouse' and is_read_committed_snapshot_on = 0)
    exec('alter database warehouse set read_committed_snapshot on with rollback immediate');
