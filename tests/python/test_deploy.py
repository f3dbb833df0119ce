"""Deploys from commit to live, as a team does them: staging first, then prod, and back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from databases import Database, temporary_database
from demo_days import Days
from project_copy import ProjectCopy, environments

pytestmark = pytest.mark.journey

STAGING = ("--target", "staging")
FACT = "models/gold/pagila/fact_rental.sql"
STORES = "models/gold/pagila/dim_store.sql"
END = "select * from final"
# As ProjectCopy writes it.
IN_SNAPSHOT = "    - last_name\n    - email\n    - is_active\n"
LESS_IN_SNAPSHOT = (
    "snapshots/_snapshots.yml",
    IN_SNAPSHOT,
    IN_SNAPSHOT.replace("    - email\n", ""),
)
MACRO, DAYS = "macros/pagila/days_begun.sql", "/ 86400) as integer)"


@dataclass
class Team:
    """A copy of the project, its source, and the databases of staging and prod."""

    project: ProjectCopy
    source: Days
    staging: Database
    prod: Database

    def blue_green(self, command: str, *arguments: str, fails: bool = False) -> str:
        """A command of blue_green.py on staging."""
        return self.project.script("blue_green.py", command, *STAGING, *arguments, fails=fails)

    def refresh(self, *arguments: str, fails: bool = False) -> str:
        return self.project.script("refresh.py", *STAGING, *arguments, fails=fails)

    def start_deploy(self) -> subprocess.Popen[str]:
        """A deploy to staging that goes on while the test does."""
        return subprocess.Popen(
            ["scripts/deploy.sh", "staging", "--yes"],
            cwd=self.project.folder,
            env={**os.environ, **self.project.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def outcome(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (self.project.folder / "target" / "outcome.json").read_text()
        )
        return found

    def live(self, database: Database | None = None) -> int:
        found: int = (database or self.staging).scalar(
            "select coalesce(max(generation), 0) from ops.generations where status = 'live'"
        )
        return found

    def moved(self, generation: int) -> set[str]:
        """What a generation replaced."""
        return {
            f"{schema}.{name}"
            for schema, name in self.staging.query(
                "select schema_name, relation_name from ops.generation_relations "
                "where generation = %s",
                [generation],
            )
        }

    @contextmanager
    def changed(self, *changes: tuple[str, str, str]) -> Iterator[None]:
        """The project with other files; as it was afterwards, live too."""
        before = self.live()
        for change in changes:
            self.project.replace(*change)
        try:
            yield
        finally:
            self.project.git("checkout", "-q", ".")
            self.project.git("clean", "-q", "-fd")
            if self.live() != before:
                self.blue_green("rollback", "--to", str(before))


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A project that was deployed to staging once."""
    with ExitStack() as stack:
        source, staging, prod = (
            stack.enter_context(temporary_database(name)) for name in ("pagila", "staging", "prod")
        )
        env = {**staging.env, **environments(staging, prod), "PAGILA_URL": source.url}
        project = ProjectCopy.of(tmp_path_factory.mktemp("deploy"), "pagila", env)
        project.replace(MACRO, DAYS, DAYS + "{{ var('days_of_grace', '') }}")
        project.commit()
        team = Team(project, Days("pagila", source), staging, prod)
        said = project.deploy("staging", fails=True)
        assert "This database is not marked as staging" in said
        assert not staging.has("gold", "dim_film")
        for target in ("staging", "prod"):
            project.script("mark_environment.py", "--target", target)
        said = project.deploy("staging")
        assert "LIVE g1 on staging" in said
        assert (project.folder / "target" / "index.html").exists()
        documented = json.loads((project.folder / "target" / "manifest.json").read_text())
        store = documented["nodes"]["model.medallion.dim_store"]
        assert store["relation_name"].endswith('"gold"."dim_store"'), "where it is live"
        assert "select" in store["compiled_code"]
        yield team


def test_only_what_changed_and_what_reads_it_is_built(team: Team) -> None:
    with team.changed((FACT, END, "-- another comment\n" + END)):
        planned = json.loads(team.blue_green("plan", "--json"))
        assert {one["name"]: one["because"] for one in planned["builds"]} == {
            "fact_rental": "changed",
            "metrics_daily_rentals": "reads fact_rental",
        }
        said = team.blue_green("run")
        assert "copied 1,469 rows of gold.fact_rental" in said
        assert "fact_rental: unchanged, 1,469 rows" in said
        assert team.moved(team.live()) == {"gold.fact_rental", "gold.metrics_daily_rentals"}
        assert "Nothing to deploy" in team.blue_green("run"), "once is enough"
        assert team.outcome["rollback_command"].endswith("rollback --target staging --to 1")
    assert team.live() == 1
    assert team.staging.has("gold", "fact_rental")


def test_a_snapshot_that_changed_alone_runs_in_its_place(team: Team) -> None:
    """Also that it is live then: refreshes refuse a project that is not."""
    with team.changed(LESS_IN_SNAPSHOT):
        said = team.blue_green("run")
        assert "afterwards snapshot snap_rental_customers" in said
        assert team.moved(team.live()) == set()
        assert "Nothing to deploy" in team.blue_green("plan")


def test_snapshots_that_failed_after_a_publish_are_run_by_whatever_comes_next(team: Team) -> None:
    """The deploy once more, or a refresh of anything."""
    snapshot = "snap_rental_customers"
    with team.changed(LESS_IN_SNAPSHOT):
        with trigger(
            team.staging,
            f"before insert or update on snapshots.{snapshot}",
            "raise 'no history today'",
        ):
            assert f"These snapshots did not run: {snapshot}" in team.blue_green("run", fails=True)
            assert f"did not run: {snapshot}" in team.outcome["reason"]
            assert team.outcome["succeeded"]
            assert f"did not run: {snapshot}" in team.blue_green("run", fails=True)
            said = team.refresh("--select", "dim_store", fails=True)
            assert f"failed  .venv/bin/dbt --log-level warn snapshot --select {snapshot}" in said
        assert f"snapshot --select {snapshot}" in team.refresh("--select", "dim_store")
        assert f"snapshot --select {snapshot}" not in team.refresh("--select", "dim_store")


def test_a_deploy_that_hangs_in_its_snapshots_ends_at_ctrl_c_and_tells_what_is_live(
    team: Team,
) -> None:
    with (
        team.changed(LESS_IN_SNAPSHOT),
        team.staging.connect() as connection,
        connection.cursor() as cursor,
    ):
        team.project.commit()
        cursor.execute("begin; lock table snapshots.snap_rental_customers in share mode")
        process = team.start_deploy()
        waiting = "select count(*) from pg_locks where relation = %s::regclass and not granted"
        table = ["snapshots.snap_rental_customers"]
        wait_until(lambda: bool(team.staging.scalar(waiting, table)), seconds=300)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
        cursor.execute("rollback")
        assert process.returncode == 130
        assert f"LIVE g{team.live()} on staging" in said.split("Stopped.")[1]
        assert "These snapshots did not run: snap_rental_customers" in team.outcome["reason"]
        assert team.staging.scalar(waiting, table) == 0
        assert "Running in their place: snap_rental_customers" in team.blue_green("run")
        assert "Running in their place" not in team.blue_green("run")
        team.project.git("reset", "-q", "--hard", "HEAD~1")


def test_columns_of_a_source_and_variables_are_changes_of_their_models(team: Team) -> None:
    """Dbt sees neither: a bronze model is one line, and a manifest has no variables."""
    yml = "models/bronze/pagila/_pagila__sources.yml"
    text = (team.project.folder / yml).read_text()
    for table in ("language", "rental"):
        columns = text.index("columns:", text.index(f"- name: {table}\n"))
        first = text.index("          - name:", columns)
        more = "          - name: nickname\n            description: A short name.\n"
        text = text[:first] + more + text[first:]
    (team.project.folder / yml).write_text(text)
    fiscal = "fiscal_year_first_month: "
    of_macro = "vars:\n  days_of_grace: ' + 0'\n"
    with team.changed(
        ("dbt_project.yml", f"{fiscal}7", f"{fiscal}4"), ("dbt_project.yml", "vars:\n", of_macro)
    ):
        planned = json.loads(team.blue_green("plan", "--json"))
    because = {one["name"]: one["because"] for one in planned["builds"]}
    assert because["br_pagila__language"] == "columns or keys of language"
    assert because["dim_film"].startswith("reads ")
    assert "br_pagila__film" not in because
    assert because["dim_date"] == "the variable fiscal_year_first_month"
    assert because["int_rentals_assessed"] == "the variable days_of_grace"
    (note,) = (one for one in planned["notes"] if one.startswith("br_"))
    assert "`extract.py --table pagila.rental --full-refresh`" in note


def test_a_failing_test_leaves_live_as_it_was(team: Team) -> None:
    before = team.staging.query("select * from gold.dim_store order by 1")
    with team.changed((STORES, END, END + " where store_id > 1")):
        team.project.commit()
        said = team.project.deploy("staging", fails=True)
        assert "NOT DEPLOYED, live is still g1" in said
        told = team.outcome
        assert not told["succeeded"]
        assert told["live_generation"] == 1
        failed = {one["name"]: one for one in told["failures"]}
        assert any("store" in name for name in failed)
        assert all(one["failures"] and one["owner"] == "rental" for one in failed.values())
        assert team.staging.query("select * from gold.dim_store order by 1") == before
        assert "failed" in team.blue_green("status")
        team.project.git("reset", "-q", "--hard", "HEAD~1")


def test_what_is_lost_must_be_confirmed_and_is_kept_in_the_log(team: Team) -> None:
    with team.changed(
        (
            "models/gold/pagila/metrics_daily_rentals.sql",
            END,
            END + " where 1 = 0",
        )
    ):
        tests = team.project.folder / "tests" / "pagila"
        for test in tests.glob("metrics_daily*"):
            test.unlink()
        arguments = ("--select", "metrics_daily_rentals")
        said = team.blue_green("run", *arguments, fails=True)
        assert "metrics_daily_rentals is empty, and is not in live" in said
        assert '--confirm diff --why "…"' in said
        assert team.live() == 1
        assert "--confirm and --why go together" in team.blue_green(
            "run", *arguments, "--confirm", "diff", fails=True
        )
        said = team.blue_green("run", *arguments, "--confirm", "diff", "--why", "a new start")
        assert "built already" in said
        assert "LIVE" in said
        assert team.staging.scalar("select count(*) from gold.metrics_daily_rentals") == 0
        assert "diff confirmed: a new start" in team.blue_green("status")
    assert team.staging.scalar("select count(*) from gold.metrics_daily_rentals") > 0


def test_a_model_with_readers_is_not_removed_by_mistake(team: Team) -> None:
    with team.changed():
        team.project.drop_model("metrics_daily_rentals")
        said = team.blue_green("run", fails=True)
        assert "metrics_daily_rentals is removed and read by" in said
        assert "--confirm removal" in said
        team.blue_green("run", "--confirm", "removal", "--why", "nobody looks at it")
        assert not team.staging.has("gold", "metrics_daily_rentals")
    assert team.staging.has("gold", "metrics_daily_rentals"), "a rollback brings it back"


def test_an_incremental_model_is_built_from_nothing_when_its_shape_demands_it(team: Team) -> None:
    yml = next(
        file
        for file in (team.project.folder / "models/gold/pagila").glob("*.yml")
        if "- name: fact_rental" in file.read_text()
    )
    text = yml.read_text()
    at = text.index("columns:", text.index("- name: fact_rental"))
    indent = text[at + len("columns:") + 1 :].split("-", 1)[0]
    column = (
        f"columns:\n{indent}- name: rating_of_nobody\n{indent}  data_type: integer\n"
        f"{indent}  description: One.\n"
    )
    first = "    select\n        rental_id,"
    with team.changed((FACT, first, first + "\n        1 as rating_of_nobody,")):
        yml.write_text(text[:at] + column + text[at + len("columns:\n") :])
        said = team.blue_green("run", fails=True)
        assert "fact_rental is built from nothing" in said
        said = team.blue_green("run", "--confirm", "rebuild", "--why", "a new column")
        assert "rating_of_nobody" in said
        assert team.staging.scalar("select sum(rating_of_nobody) from gold.fact_rental") == 1469
    assert team.staging.scalar("select count(*) from gold.fact_rental") == 1469


def test_a_build_that_could_not_be_published_is_published_by_the_next_run(team: Team) -> None:
    with (
        team.changed((STORES, END, "-- once more\n" + END)),
        team.staging.connect() as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("begin; select 1 from gold.dim_store")
        said = team.blue_green("run", "--deadline", "1", fails=True)
        assert "because live is in use" in said
        assert "idle in transaction" in said
        cursor.execute("rollback")
        said = team.blue_green("run")
        assert "This was built already" in said
        assert team.moved(team.live()) == {"gold.dim_store"}


def test_a_build_of_which_a_part_is_gone_is_built_again(team: Team) -> None:
    """As the views are that read a table which was rebuilt in its place meanwhile."""
    with team.changed((STORES, END, "-- gone from next\n" + END)):
        team.blue_green("build")
        team.staging.execute("drop table gold__next.dim_store")
        said = team.blue_green("run")
        assert "built already" not in said
        assert "LIVE" in said


def test_another_type_of_a_column_builds_an_incremental_model_from_nothing(team: Team) -> None:
    """Its rows would keep the old one."""
    yml = "models/gold/pagila/_pagila__gold.yml"
    text = (team.project.folder / yml).read_text()
    at = text.index("data_type: integer", text.index("- name: fact_rental"))
    with team.changed():
        (team.project.folder / yml).write_text(
            text[:at] + text[at:].replace("data_type: integer", "data_type: bigint", 1)
        )
        planned = json.loads(team.blue_green("plan", "--json"))
    assert {one["name"]: one["history"] for one in planned["builds"]}["fact_rental"] == "rebuilt"


def test_a_limit_that_can_not_be_read_is_told_before_anything_is_built(team: Team) -> None:
    yml = "models/gold/pagila/_pagila__gold.yml"
    with team.changed((yml, "max_removed_pct", "max_removd_pct")):
        said = team.blue_green("plan", fails=True)
    assert "max_removd_pct" in said
    assert "Traceback" not in said


def test_a_commit_that_was_rolled_back_is_not_verified(team: Team) -> None:
    before = team.live()
    team.project.replace(STORES, END, "-- to be taken back\n" + END)
    commit = team.project.commit()
    try:
        team.blue_green("run")
        assert "was published" in team.blue_green("verified", commit)
        team.blue_green("rollback", "--to", str(before))
        assert "was never published" in team.blue_green("verified", commit, fails=True)
    finally:
        team.project.git("reset", "-q", "--hard", "HEAD~1")


def test_a_deploy_that_reaches_no_warehouse_has_an_outcome_to_tell(team: Team) -> None:
    said = team.project.script(
        *("blue_green.py", "failed", "--target", "prod", "--reason", "no answer"),
        PROD_PGHOST="nowhere.invalid",
    )
    assert "NOT DEPLOYED" in said
    told = team.outcome
    assert (told["succeeded"], told["environment"], told["reason"]) == (False, "prod", "no answer")


def test_a_second_deploy_is_refused_and_says_who_is_at_it(team: Team) -> None:
    with team.staging.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set application_name = 'the other deploy'")
        cursor.execute("select pg_advisory_lock(hashtextextended('medallion publish public', 0))")
        said = team.blue_green("run", fails=True)
    assert "Another deploy or refresh is under way: postgres (the other deploy" in said


def test_after_a_kill_the_next_run_says_so_and_goes_on(team: Team) -> None:
    with team.changed((STORES, END, "-- to be killed\n" + END)):
        process = subprocess.Popen(
            [".venv/bin/python", "scripts/blue_green.py", "run", *STAGING],
            cwd=team.project.folder,
            env={**os.environ, **team.project.env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        query = "select count(*) from ops.generations where status = 'building'"
        wait_until(lambda: bool(team.staging.scalar(query)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert team.live() == 1
        said = team.blue_green("run", "--wait", "30")
        assert "was being built by" in said
        assert "LIVE" in said


def test_a_deploy_that_is_cancelled_tells_so(team: Team) -> None:
    """As GitHub does it: with a signal, and some seconds to end."""
    building = "select count(*) from ops.generations where status = 'building'"
    waiting = "select count(*) from pg_locks where relation = %s::regclass and not granted"
    with (
        team.changed((STORES, END, "-- to be cancelled\n" + END)),
        team.staging.connect() as connection,
        connection.cursor() as cursor,
    ):
        team.project.commit()
        # The build waits for what it reads until it is ended.
        cursor.execute("begin; lock table bronze.br_pagila__store")
        process = team.start_deploy()
        wait_until(lambda: bool(team.staging.scalar(waiting, ["bronze.br_pagila__store"])))
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
        cursor.execute("rollback")
        team.project.git("reset", "-q", "--hard", "HEAD~1")
    assert process.returncode != 0, said
    assert "Stopped." in said
    assert team.outcome["reason"] == "the step 'build, test, diff, publish' was cancelled"
    assert team.live() == 1
    assert team.staging.scalar(building) == 0


def test_a_deploy_that_is_cancelled_when_it_is_live_tells_that(team: Team) -> None:
    with team.changed((STORES, END, "-- to be cancelled too late\n" + END)):
        team.project.commit()
        process = team.start_deploy()
        wait_until(lambda: team.live() != 1, seconds=300)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
        team.project.git("reset", "-q", "--hard", "HEAD~1")
        assert process.returncode == 130, said
        assert team.outcome["succeeded"]
        assert team.outcome["live_generation"] == team.live()
        assert "== docs" not in said


def test_a_deploy_that_is_killed_while_it_becomes_live_is_told_as_what_it_is(team: Team) -> None:
    with (
        team.changed((STORES, END, "-- to be killed when it is live\n" + END)),
        trigger(
            team.staging,
            "before update on ops.generations for each row when (new.status = 'live')",
            "perform pg_sleep(2)",
        ),
    ):
        team.project.commit()
        process = team.start_deploy()
        sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
        wait_until(lambda: bool(team.staging.scalar(sleeping)), seconds=300)
        process.kill()
        process.communicate()
        assert team.outcome["succeeded"] is None
        said = team.blue_green("failed", "--reason", "it was killed")
        assert f"LIVE g{team.live()} on staging" in said
        told = team.outcome
        assert (told["succeeded"], told["reason"]) == (True, "it was killed")
        assert told["generation"] == told["live_generation"] == team.live() != 1
        assert told["rollback_command"].endswith("--to 1")
        team.project.git("reset", "-q", "--hard", "HEAD~1")


def test_a_connection_that_is_lost_once_it_is_live_makes_no_failure_of_it(team: Team) -> None:
    with (
        team.changed((STORES, END, "-- live and lost\n" + END)),
        trigger(
            team.staging,
            "after update on ops.publishes for each row when (new.status = 'succeeded')",
            "perform pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        ),
    ):
        team.project.commit()
        said = team.project.run("scripts/deploy.sh", "staging", "--yes")
        assert f"LIVE g{team.live()} on staging" in said
        assert team.outcome["succeeded"]
        assert team.outcome["live_generation"] == team.live() != 1
        team.project.git("reset", "-q", "--hard", "HEAD~1")


def test_a_refresh_is_published_whole_or_not_at_all(team: Team) -> None:
    """Late enough that tests fail is what lands; then it is mended at the source."""
    assert "all built" in team.refresh()
    first = team.live()
    rows = team.staging.scalar("select count(*) from gold.fact_rental")
    with team.source.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "update rental set rental_date = rental_date + interval '200 years', "
            "return_date = null, last_update = now() "
            "where rental_id = (select max(rental_id) from rental) "
            "returning rental_id, rental_date - interval '200 years'"
        )
        rental, before = cursor.fetchall()[0]
    said = team.refresh(fails=True)
    assert f"live is still g{first}" in said
    left = f"gold__g{team.outcome['generation']}"
    team.staging.execute(f"create schema {left}")
    assert team.staging.scalar("select max(rented_at) from gold.fact_rental").year < 2100
    team.source.database.execute(
        "update rental set rental_date = %s, last_update = now() where rental_id = %s",
        [before, rental],
    )
    # A table that cannot be read holds nothing else back.
    team.source.database.execute("alter table film_actor rename to film_actors")
    assert "LIVE" in team.refresh(fails=True)
    assert team.outcome["succeeded"]
    assert "scripts/extract.py" in team.outcome["reason"], "and is not told as a success"
    team.source.database.execute("alter table film_actors rename to film_actor")
    assert team.live() > first
    schemas = "select count(*) from information_schema.schemata where schema_name = %s"
    assert team.staging.scalar(schemas, [left]) == 0, "it prunes"
    assert team.staging.scalar("select count(*) from gold.fact_rental") == rows
    # A rollback takes its rows away; the next refresh brings them again.
    team.blue_green("rollback", "--to", str(first))
    assert team.staging.query(
        "select 1 from ops.refreshes where selection like 'public:%%' and status = 'succeeded'"
    ) == []  # fmt: skip
    team.blue_green("rollback", "--to", "1")


def test_a_refresh_of_what_is_not_deployed_is_refused(team: Team) -> None:
    with team.changed((STORES, END, "-- not deployed\n" + END)):
        said = team.refresh("--all", fails=True)
    assert "The project is not what is live: dim_store (1 changed)" in said
    assert "scripts/checkout_live.py --target staging" in said
    assert "The project is not what is live" in team.outcome["reason"]


def test_whatever_ends_a_refresh_or_a_deploy_says_what_is_live_and_why(team: Team) -> None:
    nowhere = {"STAGING_PGHOST": "nowhere.invalid"}
    said = team.project.script("refresh.py", *STAGING, fails=True, **nowhere)
    assert "`.venv/bin/python scripts/doctor.py --target staging` says more." in said
    assert "NOT DEPLOYED, live is still what it was" in said
    assert "nowhere.invalid" in team.outcome["reason"]
    with team.changed((STORES, END, END.replace("select", "selec"))):
        said = team.blue_green("run", fails=True)
    assert f"NOT DEPLOYED, live is still g{team.live()}" in said
    assert "syntax error" in team.outcome["reason"]
    (team.project.folder / "README.md").write_text("not committed")
    try:
        said = team.project.deploy("staging", fails=True)
    finally:
        team.project.git("checkout", "-q", ".")
        team.project.git("clean", "-q", "-fd")
    assert team.outcome["reason"].startswith("the step 'commit' failed: Not deployed: there are")


def test_prod_takes_what_staging_has_verified_or_a_reason(team: Team) -> None:
    project = team.project
    verified = project.git("rev-parse", "HEAD")
    (project.folder / "README.md").write_text("not committed")
    said = project.deploy("prod", fails=True)
    assert "files here that are not committed" in said
    later = project.commit()
    of_live = "select code_version from ops.generations where status = 'live'"
    try:
        # Neither a part of it verifies it, nor changes beside it, nor what a variable says.
        team.blue_green("run", "--select", "dim_store")
        assert team.staging.scalar(of_live) == f"{later}-partial"
        (project.folder / "README.md").write_text("not committed either")
        assert "Nothing to deploy" in team.blue_green("run")
        project.git("checkout", "-q", ".")
        said = project.deploy("prod", fails=True, MEDALLION_COMMIT=verified)
        assert f"staging has not verified {later[:8]}" in said
        assert not team.prod.has("gold", "dim_film")
        project.git("checkout", "-q", verified)
        assert "LIVE g1 on prod" in project.deploy("prod")
        project.git("checkout", "-q", later)
        said = project.deploy("prod", "--override", "staging is down")
        assert "Overridden, although staging has not verified" in said
        # Nothing had to be built for it, and it is what is live all the same.
        assert team.prod.scalar(of_live) == later
        team.blue_green("run")
        assert "was published" in team.blue_green("verified", later)
        assert team.staging.scalar(of_live) == later
        # As a job does that is run again when the next one has passed it.
        project.git("checkout", "-q", verified)
        said = project.deploy("prod", fails=True)
        assert f"{verified[:8]} is older than what is live, {later[:8]}" in said
    finally:
        project.git("checkout", "-q", "main")
        project.git("reset", "-q", "--hard", verified)


def test_a_dry_run_changes_nothing(team: Team) -> None:
    count = "select count(*) from ops.generations"
    before = team.staging.scalar(count)
    team.staging.execute("alter table ops.refreshes rename to refreshes_of_before")
    options = ("--rebuild", "fact_rental", "--deadline", "5", "--cancel-blockers")
    with team.changed((STORES, END, "-- dry\n" + END)):
        said = team.project.run("scripts/deploy.sh", "staging", "--dry-run", *options)
    assert "changed    gold.dim_store" in said
    assert re.search(r"gold\.fact_rental .*rows written anew; built from nothing", said)
    assert "metrics_daily_rentals" in said
    assert team.staging.scalar(count) == before
    assert not team.staging.has("ops", "refreshes"), "the next run that writes makes it"
    team.staging.execute("alter table ops.refreshes_of_before rename to refreshes")


def test_the_wrong_database_is_not_written_to(team: Team) -> None:
    """The variables of prod lead to staging: by a typo, or because they were copied."""
    wrong = {"PROD_PGDATABASE": team.staging.name}
    tables = "select count(*) from pg_class"
    before = team.staging.scalar(tables), team.staging.scalar("select count(*) from ops.publishes")
    project = team.project
    tries = (
        project.dbt("build", "--target", "prod", "-s", "dim_date", fails=True, **wrong),
        project.dbt("seed", "--target", "prod", fails=True, **wrong)
        if any((project.folder / "seeds").rglob("*.csv"))
        else "marked as staging",
        project.dbt("test", "--target", "prod", "-s", "dim_date", fails=True, **wrong),
        project.script("extract.py", "--target", "prod", fails=True, **wrong),
        project.script("refresh.py", "--target", "prod", fails=True, **wrong),
        project.script("blue_green.py", "run", "--target", "prod", fails=True, **wrong),
        project.script("blue_green.py", "rollback", "--target", "prod", fails=True, **wrong),
        project.script("blue_green.py", "prune", "--target", "prod", fails=True, **wrong),
        project.script("mark_environment.py", "--target", "prod", fails=True, **wrong),
    )
    for said in tries:
        assert "marked as staging" in said
    after = team.staging.scalar(tables), team.staging.scalar("select count(*) from ops.publishes")
    assert after == before


def test_nobody_reaches_prod_by_forgetting_something(team: Team) -> None:
    """Without a target it is dev; with prod's name alone, its variables are missing."""
    project = team.project
    gone = {name: "" for name in project.env if name.startswith("PROD_")}
    bare = {name: value for name, value in project.env.items() if name not in gone}
    alone = ProjectCopy(project.folder, {**bare, "DBT_ENV_SECRET_PROD_PGPASSWORD": "x"})
    for name in gone:
        alone.env.pop(name, None)
    said = alone.script("blue_green.py", "run", "--target", "prod", fails=True)
    assert "PROD_PGHOST" in said
    said = project.script("blue_green.py", "run", fails=True)
    assert "The target dev leads to a database that is marked as staging" in said


def test_a_full_refresh_of_prod_needs_a_reason(team: Team) -> None:
    said = team.project.dbt(
        "run", "--full-refresh", "--target", "prod", "-s", "dim_store", fails=True
    )
    assert "say why" in said
    why = "{confirmed: the calendar was wrong}"
    team.project.dbt(
        *("run", "--full-refresh", "--target", "prod", "-s", "dim_date", "--vars", why)
    )
    (selection,) = team.prod.query(
        "select selection from ops.dbt_invocations where command = 'run' and status = 'succeeded'"
    )
    assert "--full-refresh (the calendar was wrong)" in selection[0]


@contextmanager
def trigger(database: Database, event: str, body: str) -> Iterator[None]:
    database.execute(
        "create function public.at_it() returns trigger language plpgsql as "
        f"$$ begin {body}; return new; end $$; "
        f"create trigger at_it {event} execute function public.at_it()"
    )
    try:
        yield
    finally:
        database.execute("drop function public.at_it cascade")


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
