"""Every step of the workflows runs here as its job declares it; nothing it calls is missing."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from databases import Database, temporary_database
from demo_api import serving
from demo_days import Days
from project_copy import ProjectCopy
from services import Http, http_service
from workflow_job import Runner

pytestmark = pytest.mark.journey

UNUSED = "not-asked-for"  # as a password, by the test server
DOMAIN = "hacker_news"  # the smallest that has a fact and unit tests
HOURLY = {"event_name": "schedule", "event": {"schedule": "17 * * * *"}}
MODEL = "models/gold/hacker_news/dim_story.sql"


@dataclass
class GitHub:
    """GitHub's API, as far as scripts call it: the comments and the state of pull requests."""

    port: int = 0
    opened: list[int] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401
        where = path.removeprefix("/repos/team/medallion/").partition("?")[0]
        if (method, where) == ("GET", "pulls"):
            return [{"number": number} for number in self.opened]
        if method == "GET" and where.endswith("/comments"):
            return self.comments
        if method == "POST" and where.endswith("/comments"):
            new = {"id": len(self.comments), "user": {"type": "Bot"}, **body}
            self.comments.append(new)
            return new
        assert method == "PATCH", (method, path)
        self.comments[int(where.rpartition("/")[2])].update(body)
        return body


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    service = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or "{}")
            service.tokens.add(self.headers["Authorization"])
            answer = json.dumps(service.answer(self.command, self.path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PATCH = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield service
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Team:
    """A repository with one domain, its source, its environments, and what they were told."""

    project: ProjectCopy
    runner: Runner
    source: Days
    ci: Database
    staging: Database
    prod: Database
    channel: Http

    def head(self) -> str:
        return self.project.git("rev-parse", "HEAD")

    def change(self, *changes: tuple[str, str, str]) -> str:
        """Commits a change; returns the commit."""
        for one in changes:
            self.project.replace(*one)
        return self.project.commit()

    def told(self) -> str:
        """The last message."""
        return str(self.channel.received[-1])


def live(database: Database) -> int:
    found: int = database.scalar(
        "select coalesce(max(generation), 0) from ops.generations where status = 'live'"
    )
    return found


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, github: GitHub) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("workflows")
    with ExitStack() as stack:
        names = ("source", "ci", "staging", "prod")
        source, *environments = (stack.enter_context(temporary_database(name)) for name in names)
        days = Days(DOMAIN, source)
        api = stack.enter_context(serving(source.url))
        channel = stack.enter_context(http_service())
        project = ProjectCopy.of(folder / "repository", DOMAIN, {})
        # Fails until the sequence has come to 4.
        hook = "{{ config(pre_hook=\"select 1 / (nextval('public.tries') / 4)\") }}\n\n"
        project.replace(MODEL, "with stories", hook + "with stories")
        # What the schedule of an hour selects.
        project.replace("dbt_project.yml", "{+group: news}", "{+group: news, +tags: [hourly]}")
        project.replace(
            "dbt_project.yml", "hacker_news:\n        +group: news\n",
            "hacker_news:\n        +group: news\n        +tags: [hourly]\n",
        )  # fmt: skip
        project.commit()
        host = source.env["MEDALLION_PGHOST"]
        variables = {"DEPLOY": "on", "PIPELINE": "on"}
        for name, database in zip(("CI", "STAGING", "PROD"), environments, strict=True):
            variables |= {f"{name}_PGHOST": host, f"{name}_PGUSER": "postgres",
                          f"{name}_PGDATABASE": database.name,
                          f"{name}_PGSSLMODE": "disable"}  # fmt: skip
        secrets = {
            **{f"{name}_PGPASSWORD": UNUSED for name in ("STAGING", "PROD")},
            "HACKER_NEWS_URL": api.url, "MEDALLION_NOTIFY_URLS": channel.url,
        }  # fmt: skip
        runner = Runner(project.folder, folder / "runs", variables, secrets, github.url)
        stack.callback(runner.remove)
        for database in environments:
            database.execute("create sequence tries start 5")
        for target in ("staging", "prod"):
            env = {"MEDALLION_PGHOST": host}
            upper = target.upper()
            env |= {name: value for name, value in variables.items() if name.startswith(upper)}
            env[f"DBT_ENV_SECRET_{upper}_PGPASSWORD"] = UNUSED
            project.script("mark_environment.py", "--target", target, fails=False, **env)
        ci, staging, prod = environments
        yield Team(project, runner, days, ci, staging, prod, channel)


def schemas(database: Database) -> set[str]:
    return {
        name for (name,) in database.query("select schema_name from information_schema.schemata")
    }


def event(team: Team, base: str, number: int = 7) -> dict[str, Any]:
    """A pull request of the repository's own."""
    return {
        "event_name": "pull_request",
        "event": {
            "pull_request": {
                "number": number, "base": {"sha": base}, "user": {"login": "ada"},
                "head": {"repo": {"full_name": "team/medallion"}},
            }
        },
    }  # fmt: skip


def test_a_pull_request_is_built_compared_and_commented(team: Team, github: GitHub) -> None:
    base = team.head()
    commit = team.change((MODEL, " points,", " points + 1 as points,"))
    pull_request = event(team, base)
    done = team.runner.run("ci", "slim-postgres", commit=commit, github=pull_request)
    team.project.git("reset", "-q", "--hard", base)
    assert done.succeeded, done.all_said
    assert {"pr_7_gold", "pr_7_gold__next"} <= schemas(team.ci)
    text = (team.runner.folder / "artifacts" / "slim-postgres" / "comment.md").read_text()
    assert text == done.summary, "on a fork the page of the job is all there is"
    assert "✅ Slim build on Postgres: passed" in text
    assert f"Upon the base `{base[:8]}`: 4 built" in text
    assert "`pr_7_gold.dim_story`: `changed`" in text
    assert "`news_activity` (`news-analytics`) reads `dim_story`" in text
    assert re.search(r"\| unit tests \| [1-9]", text)
    assert "#### Data: " in text
    assert "`points`" in text
    assert "Run times" in text

    for _ in range(2):
        done = team.runner.run("ci", "comment", commit=commit, github=pull_request)
        assert done.succeeded, done.all_said
    assert len(github.comments) == 1, "the second time it is written over"
    assert text in github.comments[0]["body"]
    assert github.tokens == {"Bearer a-token"}


def test_what_closed_pull_requests_left_is_dropped(team: Team, github: GitHub) -> None:
    for schema in ("pr_8_gold", "pr_9_gold", "pr_9_gold__next", "pr_90_gold", "pr_x", "apr_9"):
        team.ci.execute(f"create schema {schema}; create table {schema}.one as select 1 as id")
    github.opened = [8]
    before = schemas(team.ci)
    closed = event(team, team.head(), 9)
    done = team.runner.run("ci-schemas", "drop", commit=team.head(), github=closed)
    assert done.succeeded, done.all_said
    assert before - schemas(team.ci) == {"pr_9_gold", "pr_9_gold__next"}
    done = team.runner.run(
        "ci-schemas", "sweep", commit=team.head(), github={"event_name": "schedule"}
    )
    assert done.succeeded, done.all_said
    left = {one for one in schemas(team.ci) if "pr_" in one}
    assert left == {"pr_8_gold", "pr_x", "apr_9"}
    assert team.ci.scalar("select count(*) from ops.generations") == 0


def test_a_commit_goes_to_staging_and_then_to_prod(team: Team) -> None:
    commit = team.head()
    done = team.runner.run("deploy", "prod", commit=commit)
    assert "staging has not verified" in done.all_said
    assert not done.succeeded
    assert "the step 'commit' failed" in team.told()
    for environment, database in (("staging", team.staging), ("prod", team.prod)):
        done = team.runner.run("deploy", environment, commit=commit)
        assert done.succeeded, done.all_said
        assert f"LIVE g1 on {environment}" in done.all_said
        assert database.has("gold", "fact_comment")
        assert environment in team.told()


def test_the_schedule_refreshes_what_is_live(team: Team) -> None:
    """The branch is ahead of it by then, and the database has a bad moment."""
    deployed = team.head()
    ahead = team.change((MODEL, " points,", " points + 1 as points,"))
    stories = "select count(*) from gold.dim_story"
    before = team.prod.scalar(stories)
    for _ in range(3):
        team.source.tick()
    team.prod.execute("select setval('tries', 3, false)")
    done = team.runner.run("pipeline", "refresh", commit=ahead, github=HOURLY)
    assert done.succeeded, done.all_said
    assert f"Checked out {deployed[:8]}" in done.all_said
    assert "again, because of dim_story: Database Error" in done.all_said
    assert live(team.prod) == 2
    assert team.prod.scalar(stories) > before
    recorded = team.prod.query(
        "select distinct pipeline, code_version from ops.dbt_invocations where pipeline = 'hourly'"
    )
    assert recorded == [("hourly", deployed)]
    team.project.git("reset", "-q", "--hard", deployed)


def test_a_source_that_is_stale_is_told_once_and_is_no_failed_refresh(team: Team) -> None:
    told = len(team.channel.received)
    team.prod.execute(
        "create function public.late() returns trigger language plpgsql as "
        "$$ begin new.finished_at := now() - interval '3 days'; return new; end $$;"
        "create trigger late before update on ops.extract_batches "
        "for each row execute function public.late();"
        "update ops.extract_batches set status = status"
    )
    done = team.runner.run("pipeline", "refresh", commit=team.head(), github=HOURLY)
    team.prod.execute("drop function public.late cascade")
    assert not done.succeeded
    assert "nothing new" in done.all_said
    (message,) = team.channel.received[told:]
    assert message["title"].startswith("STALE"), message


def test_a_refresh_that_fails_is_told_and_live_stays(team: Team) -> None:
    before = live(team.prod)
    team.prod.execute("select setval('tries', 1, false)")
    daily = {"event_name": "schedule", "event": {"schedule": "47 1 * * *"}}
    done = team.runner.run("pipeline", "refresh", commit=team.head(), github=daily)
    team.prod.execute("select setval('tries', 5, false)")
    assert not done.succeeded
    assert f"live is still g{before}" in done.all_said
    assert live(team.prod) == before
    assert "dim_story" in team.told()
    assert (team.runner.folder / "artifacts" / "artifacts" / "outcome.json").exists()


def test_facts_of_a_time_are_written_again(team: Team) -> None:
    ((first,),) = team.staging.query(
        "select date_trunc('day', min(posted_at)) from gold.fact_comment"
    )
    end = first + timedelta(days=1)
    wrong = "select count(*) from gold.fact_comment where author = 'nobody'"
    rows = "select count(*) from gold.fact_comment"
    before = team.staging.scalar(rows)
    team.staging.execute(
        "update gold.fact_comment set author = 'nobody' where posted_at < %s", [end]
    )
    assert team.staging.scalar(wrong) > 0
    by_hand = {"environment": "staging", "selection": "fact_comment",
               "start": f"{first:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}"}  # fmt: skip
    done = team.runner.run(
        "pipeline", "refresh", commit=team.head(), inputs=by_hand,
        github={"event_name": "workflow_dispatch"},
    )  # fmt: skip
    assert done.succeeded, done.all_said
    assert "fact_comment from" in done.all_said
    assert team.staging.scalar(wrong) == 0
    assert team.staging.scalar(rows) == before
    assert live(team.staging) == 2, "nobody has read a half of it"


def test_a_rollback_is_started_by_hand(team: Team) -> None:
    done = team.runner.run(
        "rollback", "rollback", commit=team.head(),
        inputs={"environment": "prod", "generation": "1"},
    )  # fmt: skip
    assert done.succeeded, done.all_said
    assert live(team.prod) == 1
    assert "prod" in team.told()
