{#
    The tables in which this project records its own runs, made if they are missing: the only place
    that says what they look like, for each engine.

    Statements for the inside of a `do` block on Postgres, of a batch on SQL Server. No other macro
    is called in their bodies, because scripts/common/ops.py renders them too.

    When all tables are there, nothing but the catalogue is asked: whoever may write to the tables
    needs no right to make them. Two first runs at once wait for each other.
#}
{% macro ops_tables() -%}
    {{ return(adapter.dispatch('ops_tables', 'medallion')()) }}
{%- endmacro %}

{% macro postgres__ops_tables() -%}
if (
    select count(*) < 10
    from pg_catalog.pg_class as tables
    inner join pg_catalog.pg_namespace as schemas on tables.relnamespace = schemas.oid
    where
        schemas.nspname = 'ops'
        and tables.relname in (
            'extract_batches', 'dbt_invocations', 'dbt_node_results', 'source_freshness_results',
            'publishes', 'refreshes', 'environment', 'generations', 'generation_relations',
            'manifests'
        )
) or not exists (
    select 1 from pg_catalog.pg_attribute
    where attrelid = to_regclass('ops.extract_batches') and attname = 'key_digests'
) then
    perform pg_advisory_xact_lock(hashtextextended('medallion ops', 0));

    if to_regnamespace('ops') is null then
        create schema ops;
    end if;

    if to_regclass('ops.extract_batches') is null then
        create table ops.extract_batches (
            batch_id bigint generated always as identity primary key,
            run_id text not null,
            source_name text not null,
            table_name text not null,
            mode text not null,
            status text not null check (status in ('running', 'loaded', 'failed', 'abandoned')),
            started_at timestamptz not null default clock_timestamp(),
            finished_at timestamptz,
            rows_loaded bigint,
            rows_deleted bigint,
            rows_restored bigint,
            cursor_from text,
            cursor_to text,
            overlap text,
            key_digests text,
            schema_changes text,
            error text
        );
        create index extract_batches_by_table
        on ops.extract_batches (source_name, table_name, batch_id);
    end if;
    alter table ops.extract_batches add column if not exists key_digests text;

    if to_regclass('ops.dbt_invocations') is null then
        create table ops.dbt_invocations (
            invocation_id text primary key,
            pipeline text not null,
            command text not null,
            selection text,
            target_name text not null,
            target_schema text not null,
            dbt_version text not null,
            code_version text,
            status text not null check (status in ('running', 'succeeded', 'failed')),
            started_at timestamptz not null,
            finished_at timestamptz,
            nodes_passed integer,
            nodes_warned integer,
            nodes_failed integer,
            nodes_skipped integer,
            recorded_at timestamptz not null default clock_timestamp()
        );
        create index dbt_invocations_by_recorded_at on ops.dbt_invocations (recorded_at);
    end if;

    if to_regclass('ops.dbt_node_results') is null then
        create table ops.dbt_node_results (
            invocation_id text not null,
            unique_id text not null,
            resource_type text not null,
            node_name text not null,
            status text not null,
            thread text,
            started_at timestamptz,
            finished_at timestamptz,
            execution_seconds numeric(18, 3),
            rows_affected bigint,
            failures bigint,
            message text,
            test_severity text,
            tested_unique_id text,
            tested_column text,
            recorded_at timestamptz not null default clock_timestamp(),
            primary key (invocation_id, unique_id)
        );
        create index dbt_node_results_by_recorded_at on ops.dbt_node_results (recorded_at);
    end if;

    if to_regclass('ops.source_freshness_results') is null then
        create table ops.source_freshness_results (
            invocation_id text not null,
            unique_id text not null,
            source_name text not null,
            table_name text not null,
            status text not null,
            max_loaded_at timestamptz,
            snapshotted_at timestamptz,
            age_seconds bigint,
            execution_seconds numeric(18, 3),
            message text,
            recorded_at timestamptz not null default clock_timestamp(),
            primary key (invocation_id, unique_id)
        );
        create index source_freshness_results_by_recorded_at
        on ops.source_freshness_results (recorded_at);
    end if;

    if to_regclass('ops.publishes') is null then
        create table ops.publishes (
            publish_id text primary key,
            environment text not null,
            generation integer,
            action text not null check (action in ('publish', 'rollback')),
            status text not null check (status in ('running', 'succeeded', 'failed')),
            started_at timestamptz not null,
            finished_at timestamptz,
            code_version text,
            models integer,
            message text,
            recorded_at timestamptz not null default clock_timestamp()
        );
        create index publishes_by_recorded_at on ops.publishes (recorded_at);
    end if;

    if to_regclass('ops.refreshes') is null then
        create table ops.refreshes (
            refresh_id bigint generated always as identity primary key,
            selection text not null,
            is_whole boolean not null,
            project text not null,
            settled_batch_id bigint not null,
            status text not null check (status in ('running', 'succeeded', 'failed')),
            started_at timestamptz not null default clock_timestamp(),
            finished_at timestamptz
        );
    end if;

    -- Which environment this database is: one row, written once (scripts/mark_environment.py). All
    -- may read it: who can't must not write anywhere.
    if to_regclass('ops.environment') is null then
        create table ops.environment (
            id integer primary key default 1 check (id = 1),
            environment text not null,
            marked_at timestamptz not null default clock_timestamp(),
            marked_by text not null default session_user
        );
        grant usage on schema ops to public;
        grant select on ops.environment to public;
    end if;

    if to_regclass('ops.manifests') is null then
        create table ops.manifests (
            manifest_id text primary key,
            content bytea not null, -- manifest.json, gzip
            stored_at timestamptz not null default clock_timestamp()
        );
    end if;

    if to_regclass('ops.generations') is null then
        create table ops.generations (
            target_schema text not null,
            generation integer not null,
            base integer,
            kind text not null check (kind in ('deploy', 'refresh')),
            status text not null check (status in (
                'building', 'built', 'live', 'retired', 'rolled back', 'failed', 'pruned'
            )),
            manifest_id text references ops.manifests,
            code_version text,
            author text,
            plan_text text not null,
            message text,
            started_at timestamptz not null default clock_timestamp(),
            built_at timestamptz,
            published_at timestamptz,
            primary key (target_schema, generation)
        );
        create unique index generations_live on ops.generations (target_schema)
        where status = 'live';
    end if;

    if to_regclass('ops.generation_relations') is null then
        create table ops.generation_relations (
            target_schema text not null,
            generation integer not null,
            schema_name text not null,
            relation_name text not null,
            replaced_kind text, -- what it replaced, table or view; null if there was none
            published_kind text, -- what it put there; null if it only took away
            definition text, -- the statements that make the replaced view, if it was one
            primary key (target_schema, generation, schema_name, relation_name),
            foreign key (target_schema, generation) references ops.generations
        );
    end if;
end if;
{%- endmacro %}

{% macro sqlserver__ops_tables() -%}
if schema_id('ops') is null
    exec('create schema ops');

if object_id('ops.extract_batches') is null
begin
    create table ops.extract_batches (
        batch_id bigint identity primary key,
        run_id varchar(36) not null,
        source_name varchar(128) not null,
        table_name varchar(128) not null,
        mode varchar(20) not null,
        status varchar(20) not null check (status in ('running', 'loaded', 'failed', 'abandoned')),
        started_at datetime2(6) not null default sysutcdatetime(),
        finished_at datetime2(6),
        rows_loaded bigint,
        rows_deleted bigint,
        rows_restored bigint,
        cursor_from varchar(max),
        cursor_to varchar(max),
        overlap varchar(max),
        key_digests varchar(max),
        schema_changes varchar(max),
        error varchar(max)
    );
    create index extract_batches_by_table on ops.extract_batches (source_name, table_name, batch_id);
end;

if col_length('ops.extract_batches', 'key_digests') is null
    alter table ops.extract_batches add key_digests varchar(max);

if object_id('ops.dbt_invocations') is null
begin
    create table ops.dbt_invocations (
        invocation_id varchar(36) primary key,
        pipeline varchar(200) not null,
        command varchar(50) not null,
        selection varchar(max),
        target_name varchar(128) not null,
        target_schema varchar(128) not null,
        dbt_version varchar(20) not null,
        code_version varchar(100),
        status varchar(20) not null check (status in ('running', 'succeeded', 'failed')),
        started_at datetime2(6) not null,
        finished_at datetime2(6),
        nodes_passed integer,
        nodes_warned integer,
        nodes_failed integer,
        nodes_skipped integer,
        recorded_at datetime2(6) not null default sysutcdatetime()
    );
    create index dbt_invocations_by_recorded_at on ops.dbt_invocations (recorded_at);
end;

if object_id('ops.dbt_node_results') is null
begin
    create table ops.dbt_node_results (
        invocation_id varchar(36) not null,
        unique_id varchar(800) not null,
        resource_type varchar(20) not null,
        node_name varchar(800) not null,
        status varchar(20) not null,
        thread varchar(100),
        started_at datetime2(6),
        finished_at datetime2(6),
        execution_seconds numeric(18, 3),
        rows_affected bigint,
        failures bigint,
        message varchar(2000),
        test_severity varchar(20),
        tested_unique_id varchar(800),
        tested_column varchar(400),
        recorded_at datetime2(6) not null default sysutcdatetime(),
        primary key (invocation_id, unique_id)
    );
    create index dbt_node_results_by_recorded_at on ops.dbt_node_results (recorded_at);
end;

if object_id('ops.source_freshness_results') is null
begin
    create table ops.source_freshness_results (
        invocation_id varchar(36) not null,
        unique_id varchar(800) not null,
        source_name varchar(128) not null,
        table_name varchar(128) not null,
        status varchar(20) not null,
        max_loaded_at datetime2(6),
        snapshotted_at datetime2(6),
        age_seconds bigint,
        execution_seconds numeric(18, 3),
        message varchar(2000),
        recorded_at datetime2(6) not null default sysutcdatetime(),
        primary key (invocation_id, unique_id)
    );
    create index source_freshness_results_by_recorded_at on ops.source_freshness_results (recorded_at);
end;

if object_id('ops.publishes') is null
begin
    create table ops.publishes (
        publish_id varchar(36) primary key,
        environment varchar(20) not null,
        generation integer,
        action varchar(20) not null check (action in ('publish', 'rollback')),
        status varchar(20) not null check (status in ('running', 'succeeded', 'failed')),
        started_at datetime2(6) not null,
        finished_at datetime2(6),
        code_version varchar(100),
        models integer,
        message varchar(2000),
        recorded_at datetime2(6) not null default sysutcdatetime()
    );
    create index publishes_by_recorded_at on ops.publishes (recorded_at);
end;

if object_id('ops.refreshes') is null
    create table ops.refreshes (
        refresh_id bigint identity primary key,
        selection varchar(2000) not null,
        is_whole bit not null,
        project varchar(16) not null,
        settled_batch_id bigint not null,
        status varchar(20) not null check (status in ('running', 'succeeded', 'failed')),
        started_at datetime2(6) not null default sysutcdatetime(),
        finished_at datetime2(6)
    );

if object_id('ops.environment') is null
begin
    create table ops.environment (
        id integer primary key default 1 check (id = 1),
        environment varchar(20) not null,
        marked_at datetime2(6) not null default sysutcdatetime(),
        marked_by varchar(128) not null default original_login()
    );
    -- whoever made it but doesn't own the schema may not: then the roles' script has said who reads
    if has_perms_by_name('ops.environment', 'OBJECT', 'CONTROL') = 1
        grant select on ops.environment to public;
end;

if object_id('ops.manifests') is null
    create table ops.manifests (
        manifest_id varchar(64) primary key,
        content varbinary(max) not null,
        stored_at datetime2(6) not null default sysutcdatetime()
    );

if object_id('ops.generations') is null
begin
    create table ops.generations (
        target_schema varchar(128) not null,
        generation integer not null,
        base integer,
        kind varchar(20) not null check (kind in ('deploy', 'refresh')),
        status varchar(20) not null check (status in (
            'building', 'built', 'live', 'retired', 'rolled back', 'failed', 'pruned'
        )),
        manifest_id varchar(64) references ops.manifests,
        code_version varchar(100),
        author varchar(200),
        plan_text varchar(max) not null,
        message varchar(max),
        started_at datetime2(6) not null default sysutcdatetime(),
        built_at datetime2(6),
        published_at datetime2(6),
        primary key (target_schema, generation)
    );
    create unique index generations_live on ops.generations (target_schema) where status = 'live';
end;

if object_id('ops.generation_relations') is null
    create table ops.generation_relations (
        target_schema varchar(128) not null,
        generation integer not null,
        schema_name varchar(128) not null,
        relation_name varchar(128) not null,
        replaced_kind varchar(10),
        published_kind varchar(10),
        definition varchar(max),
        primary key (target_schema, generation, schema_name, relation_name),
        foreign key (target_schema, generation) references ops.generations
    );
{%- endmacro %}
