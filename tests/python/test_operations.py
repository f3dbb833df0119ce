"""The project's own runs: what is recorded of them, and that recording never harms a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
import yaml

import warm
from commands import dbt
from common.ops import Publish, recorded_publish
from common.postgres import connect, identifier
from common.project import ROOT
from databases import PGHOST, Database
from portable_sql import DBT

SECRET = "s3cret-T0ken"  # noqa: S105

# A project of a few nodes that end in every way there is. Macros and hooks are the real ones.
FILES = {
    "models/good.sql": "select 1 as id, cast(null as text) as name",
    "models/slow.sql": """
        {{ config(materialized='table', enabled=var('slow', false)) }}
        select 1 as id from pg_sleep(300)
    """,
    "models/bad.sql": "{{ config(materialized='table') }} select 1 / 0 as id",
    "models/below_bad.sql": "select * from {{ ref('bad') }}",
    "models/careless.sql": """
        {{ config(materialized='table', enabled=var('token', none) is not none) }}
        select cast('{{ var('token', '') }}' as integer) as id
    """,
    "models/shouting.sql": """
        {{ config(enabled=var('token', none) is not none) }}
        {{ exceptions.raise_compiler_error('the token is ' ~ var('token', '')) if execute }}
    """,
    "models/personal.sql": """
        {{ config(
            materialized='table', enabled=var('token', none) is not none,
            contract={'enforced': true}
        ) }}
        select
            cast('ada@example.com' || chr(10) || 'Countess' as text) as email,
            cast(null as text) as address
    """,
    "seeds/colours.csv": "colour\nred\ngreen\n",
    "tests/nothing_is_odd.sql": "select id from {{ ref('good') }} where id % 2 = 1",
    "models/properties.yml": """
        sources:
          - name: shop
            schema: landing_shop
            config:
              loaded_at_field: loaded_at
              freshness:
                warn_after: {count: 1, period: hour}
                error_after: {count: 1, period: day}
            tables: [{name: fresh}, {name: late}, {name: stale}, {name: never}, {name: missing}]
        models:
          - name: good
            columns:
              - name: id
                data_tests: [unique]
              - name: name
                data_tests:
                  - not_null: {name: everything_has_a_name, config: {severity: warn}}
          - name: personal
            config: {enabled: "{{ var('token', none) is not none }}"}
            columns:
              - {name: email, data_type: text}
              - {name: address, data_type: text, constraints: [{type: not_null}]}
        unit_tests:
          - name: good_is_one
            model: good
            given: []
            expect: {rows: [{id: 1}]}
    """,
}


@dataclass
class Project:
    """The small project, and the warehouse in which it runs."""

    folder: Path
    database: Database

    def command(self, *arguments: str) -> list[str]:
        options = ["--project-dir", str(self.folder), "--profiles-dir", str(ROOT)]
        return [str(DBT), "--no-use-colors", *arguments, *options]

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return warm.run(DBT, self.command(*arguments)[1:], {**self.database.env, **env}, ROOT)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        target = self.folder / uuid.uuid4().hex
        return subprocess.Popen(
            [*self.command(*arguments), "--target-path", str(target), "--log-path", str(target)],
            env=self.database.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def recorded(self) -> list[tuple[str, str]]:
        return self.database.query(
            "select command, status from ops.dbt_invocations order by started_at"
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operations")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()))
    (folder / "macros").symlink_to(ROOT / "macros")
    declared = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    kept = ("name", "version", "profile", "flags", "vars", "on-run-start", "on-run-end")
    (folder / "dbt_project.yml").write_text(
        yaml.safe_dump({**{key: declared[key] for key in kept}, "clean-targets": []})
    )
    return folder


@pytest.fixture
def project(folder: Path, warehouse: Database) -> Project:
    return Project(folder, warehouse)


# ------------------------------------------------------------------ what is recorded


def test_a_run_is_recorded_as_it_ended(project: Project) -> None:
    started = project.database.scalar("select clock_timestamp()")
    done = project.run("build", "--exclude", "tag:none", MEDALLION_COMMIT="abc123")
    assert done.returncode == 1, done.stdout
    assert "not recorded" not in done.stdout

    invocation = project.database.query(
        "select pipeline, command, selection, target_name, target_schema, code_version, status,"
        " nodes_passed, nodes_warned, nodes_failed, nodes_skipped from ops.dbt_invocations"
    )
    assert invocation == [
        (
            *("dbt build", "build", "--exclude tag:none", "dev", "dev_test", "abc123"),
            *("failed", 4, 1, 2, 1),
        )
    ]
    (times,) = project.database.query(
        "select started_at, finished_at, recorded_at, clock_timestamp() from ops.dbt_invocations"
    )
    assert [started, *times] == sorted([started, *times])

    assert project.database.query(
        "select node_name, resource_type, status, test_severity, tested_unique_id, tested_column,"
        " failures from ops.dbt_node_results order by node_name"
    ) == [
        ("bad", "model", "error", None, None, None, None),
        ("below_bad", "model", "skipped", None, None, None, None),
        ("colours", "seed", "success", None, None, None, None),
        ("everything_has_a_name", "test", "warn", "warn", "model.medallion.good", "name", 1),
        ("good", "model", "success", None, None, None, None),
        ("good_is_one", "unit_test", "pass", "error", "model.medallion.good", None, 0),
        ("nothing_is_odd", "test", "fail", "error", "model.medallion.good", None, 1),
        ("unique_good_id", "test", "pass", "error", "model.medallion.good", "id", 0),
    ]
    (rows, message) = project.database.query(
        "select max(rows_affected) filter (where node_name = 'colours'),"
        " max(message) filter (where node_name = 'bad') from ops.dbt_node_results"
    )[0]
    assert rows == 2
    # one statement writes all nodes, so that recording takes no longer for each of them
    assert project.database.query(
        "select count(distinct (xmin::text, cmin::text)) from ops.dbt_node_results"
    ) == [(1,)]
    assert message == "Database Error in model bad (models/bad.sql) division by zero"
    # dbt's own artifact tells the same times
    results = json.loads((project.folder / "target" / "run_results.json").read_text())["results"]
    for node, start, end, seconds in project.database.query(
        "select unique_id, to_char(started_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
        " to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
        " execution_seconds from ops.dbt_node_results"
    ):
        (result,) = [result for result in results if result["unique_id"] == node]
        timing = result["timing"]
        assert start == (timing[0]["started_at"].rstrip("Z") if timing else None)
        assert end == (timing[-1]["completed_at"].rstrip("Z") if timing else None)
        assert float(seconds) == pytest.approx(result["execution_time"], abs=0.001)


def test_freshness_is_recorded(project: Project) -> None:
    project.database.execute(
        "create schema landing_shop;"
        "create table landing_shop.fresh as select now() as loaded_at;"
        "create table landing_shop.late as select now() - interval '3 hours' as loaded_at;"
        "create table landing_shop.stale as select now() - interval '2 days' as loaded_at;"
        "create table landing_shop.never (loaded_at timestamptz)"
    )
    done = project.run("source", "freshness", MEDALLION_PIPELINE="hourly")
    assert done.returncode == 1, done.stdout
    assert project.database.query(
        "select pipeline, command, status, nodes_passed, nodes_warned, nodes_failed"
        " from ops.dbt_invocations"
    ) == [("hourly", "source freshness", "failed", 1, 1, 3)]
    assert project.database.query(
        "select source_name, table_name, status, age_seconds / 3600, max_loaded_at is not null,"
        " snapshotted_at is not null, message is not null"
        " from ops.source_freshness_results order by table_name"
    ) == [
        ("shop", "fresh", "pass", 0, True, True, False),
        ("shop", "late", "warn", 3, True, True, False),
        ("shop", "missing", "runtime error", None, False, False, True),
        ("shop", "never", "error", None, False, True, False),
        ("shop", "stale", "error", 48, True, True, False),
    ]


def test_neither_secrets_nor_rows_are_in_what_is_recorded(project: Project) -> None:
    """What dbt knows to be secret it masks by itself; the rest is masked by where it stands."""
    done = project.run(
        *("build", "--vars", json.dumps({"token": SECRET})), DBT_ENV_SECRET_TOKEN=SECRET
    )
    assert done.returncode == 1, done.stdout
    for unknown in (
        "postgresql://ada:hunter2@db/x?password=hunter3",
        'value "98765432109876543210" is out of range',
        ': "x" said hunter4',
        "Truncated value: 'O'hunter5'.",  # SQL Server
    ):
        assert project.run("build", "--vars", json.dumps({"token": unknown})).returncode == 1
    messages = dict(
        project.database.query(
            "select node_name, string_agg(message, ' ' order by recorded_at)"
            " from ops.dbt_node_results where status = 'error' group by node_name"
        )
    )
    assert {"careless", "shouting", "personal"} < set(messages)
    for secret in (SECRET, "hunter", "9876543210", "ada@example.com", "Countess"):
        assert secret not in str(messages)
        for table in ("dbt_invocations", "dbt_node_results"):
            rows = project.database.query(f"select * from ops.{table}")
            assert secret not in str(rows), table
    assert "invalid input syntax for type integer" in messages["careless"]
    assert "the token is" in messages["shouting"]
    assert 'null value in column "address"' in messages["personal"]


def test_what_changes_nothing_is_not_recorded(project: Project) -> None:
    for arguments in (
        ("list",),
        ("compile",),
        ("show", "--inline", "select 1 as id"),
        ("docs", "generate"),
    ):
        done = project.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    assert project.database.scalar("select to_regnamespace('ops')") is None
    for switched_off, env in (
        (["--empty"], {}),
        (["--vars", "record_runs: false"], {}),
        ([], {"MEDALLION_RECORD_RUNS": "off"}),
    ):
        done = project.run("run", "-s", "good", *switched_off, **env)
        assert done.returncode == 0, done.stdout + done.stderr
    # but what models read is there
    assert project.recorded() == []


# ------------------------------------------------------------------ what can go wrong


@pytest.fixture
def poor(project: Project) -> Iterator[dict[str, str]]:
    """The environment of a user who may build, but not write to ops."""
    user, database = f"poor_{uuid.uuid4().hex[:8]}", identifier(project.database.name)
    assert project.run("seed").returncode == 0  # somebody else has made the tables
    project.database.execute(
        f"create role {user} login; grant create on database {database} to {user};"
        "update ops.environment set environment = 'ci'"
    )
    yield {
        **{"CI_PGHOST": os.environ[PGHOST], "CI_PGUSER": user},
        **{"CI_PGDATABASE": project.database.name, "MEDALLION_TARGET": "ci"},
    }
    project.database.execute(f"drop owned by {user}; drop role {user}")


@pytest.mark.parametrize("option", ["--no-quiet", "--warn-error"])
def test_a_run_that_may_not_record_only_warns(
    project: Project, poor: dict[str, str], option: str
) -> None:
    done = project.run(option, "build", "-s", "good", "--exclude", "test_type:data", **poor)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("This run is not recorded in ops: permission denied") == 2
    assert project.recorded() == [("seed", "succeeded")]


def test_a_locked_table_holds_no_run_up_for_long(project: Project) -> None:
    assert project.run("seed").returncode == 0
    with project.database.connect() as blocker, blocker.cursor() as cursor:
        cursor.execute("begin; lock table ops.dbt_invocations")
        done = project.run("run", "-s", "good")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("not recorded in ops: canceling statement due to lock timeout") == 2


def test_a_record_is_whole_or_not_at_all(project: Project) -> None:
    """Here a trigger refuses part of it; a full disk or a timeout is no different."""
    assert project.run("seed").returncode == 0
    project.database.execute(
        "create function ops.refuse() returns trigger language plpgsql as $$"
        " begin raise query_canceled using message = 'enough'; end $$;"
        "create trigger refuse before insert on ops.dbt_node_results"
        " for each row when (new.node_name = 'unique_good_id') execute function ops.refuse()"
    )
    done = project.run("build", "-s", "good", "--exclude", "nothing_is_odd")
    assert done.returncode == 0, done.stdout
    assert "This run is not recorded in ops: enough" in done.stdout
    assert project.recorded() == [("seed", "succeeded"), ("build", "running")]
    assert project.database.scalar("select count(*) from ops.dbt_node_results") == 1


def test_two_first_runs_at_once_are_both_recorded(project: Project) -> None:
    both = [project.start("run", "-s", "good") for _ in range(2)]
    for run in both:
        output, _ = run.communicate(timeout=120)
        # Both make the same view; that one of them may fail is dbt's affair, not that of ops.
        assert "not recorded" not in output
    recorded = project.recorded()
    assert len(recorded) == 2
    assert {command for command, _ in recorded} == {"run"}
    assert "running" not in {status for _, status in recorded}


def test_a_run_that_is_killed_stays_running(project: Project) -> None:
    run = project.start("run", "-s", "slow", "--vars", "slow: true")
    activity = (
        "select pid from pg_stat_activity"
        " where datname = current_database() and wait_event = 'PgSleep'"
    )
    deadline = time.monotonic() + 120
    while not (asleep := project.database.query(activity)) and time.monotonic() < deadline:
        time.sleep(0.2)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert asleep, "the model never ran"
    assert project.recorded() == [("run", "running")]
    assert project.database.scalar("select count(*) from ops.dbt_node_results") == 0


# ------------------------------------------------------------------ publishes


def test_a_publish_is_recorded_as_it_ended(warehouse: Database) -> None:
    def open_warehouse() -> psycopg2.extensions.connection:
        return connect(warehouse.url, "test")

    with recorded_publish(open_warehouse, Publish("prod", code_version="abc")) as publish:
        assert warehouse.query("select status, finished_at from ops.publishes") == [
            ("running", None)
        ]
        publish.generation, publish.models = 42, 7
    with (
        pytest.raises(ZeroDivisionError),
        recorded_publish(open_warehouse, Publish("prod", action="rollback")),
    ):
        _ = 1 / 0
    assert warehouse.query(
        "select environment, action, status, generation, code_version, models,"
        " finished_at >= started_at, recorded_at >= finished_at"
        " from ops.publishes order by started_at"
    ) == [
        ("prod", "publish", "succeeded", 42, "abc", 7, True, True),
        ("prod", "rollback", "failed", None, None, None, True, True),
    ]


def test_a_publish_that_cannot_be_recorded_is_made_all_the_same(
    warehouse: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> psycopg2.extensions.connection:
        raise psycopg2.OperationalError("no route to host\nmore")

    with recorded_publish(refuse, Publish("prod")):
        warehouse.execute("create table published ()")
    assert warehouse.scalar("select count(*) from published") == 0
    warnings = capsys.readouterr().err.splitlines()
    assert warnings == ["Warning: this publish is not recorded in ops: no route to host"] * 2


def test_a_locked_table_holds_no_publish_up_for_long(warehouse: Database) -> None:
    def publish() -> None:
        with recorded_publish(lambda: connect(warehouse.url, "test"), Publish("prod")):
            pass

    publish()
    with warehouse.connect() as blocker, blocker.cursor() as cursor:
        cursor.execute("begin; lock table ops.publishes")
        blocked = threading.Thread(target=publish, daemon=True)
        blocked.start()
        blocked.join(20)
        assert not blocked.is_alive()


# ------------------------------------------------------------------ what is made of it

# Five weeks of two pipelines' life, told by formulas: every fifth run checks freshness, the others
# build; they fail every ninth time, warn every fourth, are killed once, and have been broken since
# the day before yesterday. Beside them extractions with tables that fail and are tried again,
# freshness that is breached, and publishes.
HISTORY = """
    insert into ops.dbt_invocations (
        invocation_id, pipeline, command, target_name, target_schema, dbt_version, status,
        started_at, finished_at, nodes_passed, nodes_warned, nodes_failed, nodes_skipped,
        recorded_at
    )
    select
        'run ' || n, case when n % 3 = 0 then 'hourly' else 'nightly' end,
        case when n % 5 = 2 then 'source freshness' else 'build' end, 'dev', 'test', '1.11',
        case when n = 50 then 'running' when n % 9 = 0 or n > 96 then 'failed'
        else 'succeeded' end,
        started_at, case when n <> 50 then started_at + (n * 37 % 101) * interval '1.5 second' end,
        0, 0, case when n % 9 = 0 or n > 96 then 1 else 0 end, 0,
        started_at + interval '4 minutes'
    from generate_series(1, 100) as n
    cross join lateral (
        select date_trunc('day', now()) - interval '35 days' + n * interval '8 hours 17 minutes'
            as started_at
    ) as at;
    update ops.dbt_invocations set nodes_failed = null where status = 'running';

    insert into ops.dbt_node_results (
        invocation_id, unique_id, resource_type, node_name, status, started_at, finished_at,
        execution_seconds, rows_affected, failures, test_severity, recorded_at
    )
    select
        invocation_id, kind || '.x.' || kind || m, kind, kind || m,
        case
            when kind = 'model' and m = 1 and status = 'failed' then 'error'
            when kind = 'model' then 'success'
            when m = 2 and status = 'failed' then 'skipped'
            when (n + m) % 4 = 0 then case when m % 2 = 0 then 'warn' else 'fail' end
            else 'pass'
        end,
        started_at, started_at + interval '1 second', (n * m * 13 % 47) / 10.0, m * 10,
        case when kind <> 'model' then case when (n + m) % 4 = 0 then m else 0 end end,
        case when kind <> 'model' then case when m % 2 = 0 then 'warn' else 'error' end end,
        recorded_at
    from ops.dbt_invocations
    cross join lateral (
        select nullif(split_part(invocation_id, 'run ', 2), '')::integer as n
    ) as number
    cross join (values ('model'), ('test'), ('unit_test')) as kinds (kind)
    cross join generate_series(1, 14) as m
    where status <> 'running' and n % 5 <> 2;

    update ops.dbt_invocations
    set nodes_passed = passed, nodes_warned = warned, nodes_failed = failed, nodes_skipped = skipped
    from (
        select
            invocation_id, count(*) filter (where status in ('success', 'pass')) as passed,
            count(*) filter (where status = 'warn') as warned,
            count(*) filter (where status in ('fail', 'error')) as failed,
            count(*) filter (where status = 'skipped') as skipped
        from ops.dbt_node_results where invocation_id like 'run%' group by invocation_id
    ) as counted
    where counted.invocation_id = dbt_invocations.invocation_id;
    update ops.dbt_invocations set status = case when nodes_failed > 0 then 'failed' else status end
    where invocation_id like 'run%';

    insert into ops.source_freshness_results (
        invocation_id, unique_id, source_name, table_name, status, age_seconds, recorded_at
    )
    select
        invocation_id, 'source.x.s.t' || m, 's', 't' || m,
        (array['pass', 'warn', 'error', 'runtime error'])[1 + (n * m) % 4], n * m, recorded_at
    from ops.dbt_invocations
    cross join lateral (
        select nullif(split_part(invocation_id, 'run ', 2), '')::integer as n
    ) as number
    cross join generate_series(1, 3) as m
    where status <> 'running' and n % 5 = 2;

    insert into ops.extract_batches (
        run_id, source_name, table_name, mode, status, started_at, finished_at, rows_loaded
    )
    select
        'extract ' || n, 's', 't' || m, 'full',
        case
            when attempt = 1 then 'failed'
            when n = 20 and m = 2 then 'abandoned'
            when n % 7 = 0 and m = 3 then 'failed'
            else 'loaded'
        end,
        started_at + attempt * interval '1 second',
        started_at + attempt * interval '1 second' + m * interval '0.7 second',
        case when attempt = 2 then n * m end
    from generate_series(1, 34) as n
    cross join lateral (
        select date_trunc('day', now()) - interval '35 days' + n * interval '1 day' as started_at
    ) as at
    cross join generate_series(1, 3) as m
    cross join generate_series(1, 2) as attempt
    where attempt = 2 or (n % 5 = 0 and m = 1);

    insert into ops.publishes (
        publish_id, environment, generation, action, status, started_at, finished_at, models
    )
    select
        'publish ' || n, 'prod', n, 'publish', case when n = 3 then 'failed' else 'succeeded' end,
        now() - n * interval '25 hours', now() - n * interval '25 hours' + interval '90 seconds', n
    from generate_series(1, 5) as n;
"""

# Every run, from ops alone, on which the figures below stand.
RUNS = """
    with batches as (
        select *, row_number() over (
            partition by run_id, source_name, table_name order by batch_id desc
        ) = 1 as is_last
        from ops.extract_batches
    ), runs as (
        select
            run_id as id, 'extract' as pipeline, 'extract' as command,
            min(started_at) as started_at, max(finished_at) as ended_at,
            case when bool_or(is_last and status = 'abandoned') then 'abandoned'
                when bool_or(is_last and status = 'failed') then 'failed' else 'succeeded' end
                as status
        from batches group by run_id
        union all
        select invocation_id, pipeline, command, started_at, finished_at, case
            when status <> 'running' then status
            when recorded_at < now() - interval '6 hours' then 'abandoned' else 'running' end
        from ops.dbt_invocations
        union all
        select publish_id, 'publish', action, started_at, finished_at, status from ops.publishes
    ), ended as (
        select
            id, pipeline, command, status, started_at, (started_at at time zone 'UTC')::date as day,
            case when status <> 'abandoned' then ended_at end as ended_at,
            case when status <> 'abandoned'
                then extract(epoch from ended_at - started_at)::numeric(18, 3) end as seconds
        from runs where status <> 'running'
    ), built as (
        select * from ended where command <> 'source freshness'
    )
"""

# Question -> (the warehouse's answer, the same in plain SQL over ops).
FIGURES = {
    "runs": (
        "select pipeline_run_id, pipeline, run_status, run_date, duration_seconds"
        " from gold.fact_pipeline_run where run_status <> 'running' order by 1",
        RUNS + "select id, pipeline, status, day, seconds from ended order by 1",
    ),
    "days": (
        "select date_day, pipeline, runs, runs_succeeded, success_rate, total_seconds,"
        " median_seconds from gold.mart_pipeline_health order by 1, 2",
        RUNS + "select e.day, e.pipeline, count(b.id),"
        " count(*) filter (where b.status = 'succeeded'),"
        " round(avg((b.status = 'succeeded')::int), 4), coalesce(sum(e.seconds), 0),"
        " round((percentile_cont(0.5) within group (order by b.seconds)"
        " filter (where b.status = 'succeeded'))::numeric, 3)"
        " from ended as e left join built as b using (id) group by 1, 2 order by 1, 2",
    ),
    "medians before": (
        "select date_day, pipeline, median_seconds_28_days from gold.mart_pipeline_health"
        " order by 1, 2",
        RUNS + "select d.day, d.pipeline, (select"
        " round((percentile_cont(0.5) within group (order by e.seconds))::numeric, 3)"
        " from built as e where e.pipeline = d.pipeline and e.status = 'succeeded'"
        " and e.day >= d.day - 28 and e.day < d.day)"
        " from (select distinct day, pipeline from ended) as d order by 1, 2",
    ),
    "data quality": (
        "select date_day, pipeline, tests, tests_passed, data_quality_score"
        " from gold.mart_pipeline_health where tests > 0 order by 1, 2",
        RUNS + "select day, pipeline, count(*), count(*) filter (where r.status = 'pass'),"
        " round(100 * sum(weight) filter (where r.status = 'pass') / sum(weight), 2)"
        " from ops.dbt_node_results as r inner join ended on id = invocation_id"
        " inner join seeds.test_severity_weights on severity = test_severity"
        " where resource_type = 'test' and r.status <> 'skipped' group by 1, 2 order by 1, 2",
    ),
    "freshness": (
        "select date_day, pipeline, freshness_breaches from gold.mart_pipeline_health"
        " where freshness_breaches > 0 order by 1, 2",
        RUNS + "select day, pipeline, count(distinct unique_id)"
        " from ops.source_freshness_results as r inner join ended on id = invocation_id"
        " where r.status <> 'pass' group by 1, 2 order by 1, 2",
    ),
    "recovery": (
        "select pipeline, failed_at, recovered_at, seconds_to_recovery"
        " from gold.fact_pipeline_outage order by 1, 2",
        RUNS + ", judged as (select *, lag(status, 1, 'succeeded') over ("
        " partition by pipeline order by at, id) as before from (select *,"
        " coalesce(ended_at, started_at) as at from built) as timed)"
        " select f.pipeline, coalesce(f.ended_at, f.started_at) at time zone 'UTC',"
        " r.ended_at at time zone 'UTC',"
        " extract(epoch from r.ended_at - f.at)::numeric(18, 3)"
        " from judged as f left join lateral (select e.ended_at from built as e"
        " where e.pipeline = f.pipeline and e.status = 'succeeded' and"
        " e.ended_at > f.at order by e.ended_at fetch first 1 row only) as r on true"
        " where f.status <> 'succeeded' and f.before = 'succeeded' order by 1, 2",
    ),
    "cost": (
        "select pipeline, round(sum(estimated_cost), 2) from gold.mart_pipeline_health"
        " group by 1 order by 1",
        RUNS + "select pipeline, round(sum(seconds) * coalesce("
        "(select cost_per_hour from seeds.pipeline_cost_rates as r"
        " where r.pipeline = ended.pipeline), (select cost_per_hour"
        " from seeds.pipeline_cost_rates as r where r.pipeline = 'default')) / 3600, 2)"
        " from ended group by 1 order by 1",
    ),
    "slowest per pipeline": (
        "select date_day, pipeline, slowest_model, slowest_model_seconds"
        " from gold.mart_pipeline_health where slowest_model is not null order by 1, 2",
        RUNS + "select distinct on (day, pipeline) day, pipeline, node_name, seconds from ("
        " select day, pipeline, unique_id, min(node_name) as node_name,"
        " sum(execution_seconds) as seconds from ops.dbt_node_results as r"
        " inner join ended on id = invocation_id where r.status = 'success'"
        " and resource_type in ('model', 'seed', 'snapshot') group by 1, 2, 3) as summed"
        " order by day, pipeline, seconds desc, unique_id",
    ),
    "nodes": (
        "select pipeline_run_id, unique_id, node_status, execution_seconds, rows_affected"
        " from gold.fact_node_run order by 1, 2",
        "select invocation_id, unique_id, status, execution_seconds, rows_affected"
        " from ops.dbt_node_results where resource_type not like '%test' order by 1, 2",
    ),
    "tests": (
        "select pipeline_run_id, unique_id, test_status, is_passed, failures"
        " from gold.fact_test_result order by 1, 2",
        "select invocation_id, unique_id, status, status = 'pass', failures"
        " from ops.dbt_node_results where resource_type like '%test' order by 1, 2",
    ),
    "slowest": (
        "select date_day, seconds_rank, unique_id, runs, total_seconds, mean_seconds"
        " from gold.mart_slowest_models order by 1, 2",
        "select * from (select (i.started_at at time zone 'UTC')::date as day, rank() over ("
        " partition by (i.started_at at time zone 'UTC')::date"
        " order by sum(execution_seconds) desc, unique_id) as place, unique_id, count(*),"
        " sum(execution_seconds), round(avg(execution_seconds), 3)"
        " from ops.dbt_node_results as r inner join ops.dbt_invocations as i"
        " using (invocation_id) where r.status = 'success'"
        " and resource_type in ('model', 'seed', 'snapshot') group by 1, 3) as ranked"
        " where place <= 10 order by 1, 2",
    ),
}


@dataclass
class Operations:
    """The real project on a warehouse in which a lot has been recorded."""

    database: Database
    target: Path

    def build(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = dbt(
            *("build", "-s", "group:operations", "--exclude-resource-type", "unit_test"),
            *arguments,
            env={
                **self.database.env,
                "DBT_TARGET_PATH": str(self.target),
                "DBT_LOG_PATH": str(self.target),
            },
        )
        assert done.returncode == 0, done.stdout
        return done

    def ask(self, question: str) -> list[tuple[object, ...]]:
        return self.database.query(self.database.in_dev(question))

    def check(self, before: list[str]) -> None:
        """Compares, leaving out what was recorded after the build had read ops."""
        later = [run for run in self.runs() if run not in before]
        for table in ("dbt_node_results", "source_freshness_results", "dbt_invocations"):
            self.database.execute(f"delete from ops.{table} where invocation_id = any(%s)", [later])
        for name, (in_warehouse, in_ops) in FIGURES.items():
            expected = self.ask(in_ops)
            assert expected, f"{name}: compares nothing"
            assert self.ask(in_warehouse) == expected, name

    def runs(self) -> list[str]:
        return [
            run for (run,) in self.database.query("select invocation_id from ops.dbt_invocations")
        ]


def test_the_marts_say_what_ops_says(
    warehouse: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From nothing, from five weeks of runs, and after some more of them."""
    operations = Operations(warehouse, tmp_path)
    operations.build()
    assert operations.ask("select count(*) from gold.mart_pipeline_health") == [(0,)]

    # this is what has always been there, so bronze has not looked yet
    warehouse.execute("drop schema dev_test_bronze, dev_test_gold cascade")
    warehouse.execute(HISTORY)
    before = operations.runs()
    operations.build()
    print_cost_of_recording(tmp_path, capsys)
    operations.check(before)

    # what was running ends, a table lands late, something new happens
    warehouse.execute(
        "update ops.dbt_invocations set status = 'succeeded', nodes_failed = 0,"
        " finished_at = now(), recorded_at = now() where invocation_id = 'run 50';"
        "insert into ops.extract_batches (run_id, source_name, table_name, mode, status,"
        " started_at, finished_at) values ('extract 99', 's', 't1', 'full', 'failed',"
        " now() - interval '1 minute', now());"
        "insert into ops.publishes (publish_id, environment, action, status, started_at,"
        " generation, finished_at) values ('publish 99', 'prod', 'rollback', 'succeeded', now(),"
        " 1, now() + interval '1 second')"
    )
    before = operations.runs()
    operations.build()
    operations.check(before)


def print_cost_of_recording(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No assertion: how long a hook takes depends on who else uses the machine."""
    run = json.loads((target / "run_results.json").read_text())
    hooks = [r for r in run["results"] if r["unique_id"].startswith("operation.")]
    assert len(hooks) == 2
    seconds = sum(hook["execution_time"] for hook in hooks)
    with capsys.disabled():
        print(
            f"\nrecording {len(run['results'])} nodes took {seconds:.2f} s, "
            f"{100 * seconds / run['elapsed_time']:.1f} % of the run"
        )
