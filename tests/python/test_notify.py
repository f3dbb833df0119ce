"""What people are told, on real servers: HTTP, HTTPS and SMTP on loopback, dbt on Postgres.

Slack, Discord and Teams are sent to by their real clients, over TLS, but what answers is not them:
that their apps show a message as it is meant is not tested here.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

import parsed
import warm
from common.project import ROOT
from databases import Database
from notifying.formats import Format, Html, Markdown, Slack, Teams, Text, fitted
from notifying.masking import without_data
from notifying.message import Block, Code, Message
from notifying.outcome import FailedTest, ModelChange, Outcome, OutcomeError
from portable_sql import DBT
from services import HANG, Http, certificate, http_service, mail_service

PASSWORD = "pa55-w0rd"  # noqa: S105
TOKEN = "T0kenOfTheChannel"  # noqa: S105
SECRET = "s3cret-of-a-job"  # noqa: S105
MAIL_TO = "to=team@example.com&mode=insecure"

LIVE = Outcome(
    action="publish",
    succeeded=True,
    environment="prod",
    target="prod_sqlserver",
    generation=42,
    live_generation=42,
    previous_generation=41,
    commit="4f2a9c1e0b7d9a5566",
    author="Ada",
    models=[
        ModelChange("dim_date", "unchanged code", 100, 100),
        ModelChange("fact_rental", "changed", 1000, 990),
        ModelChange("dim_film", "new", None, 1),
        ModelChange("mart_old", "removed", 7),
    ],
    publish_milliseconds=37.4,
    lock_attempts=2,
    seconds=1184.2,
    rollback_command="scripts/blue_green.py rollback --target prod --to 41",
    run_url="https://ci.example/runs/1",
    confirmations=["--full-refresh"],
    notes=["fact_* was *not* touched"],
)
NOT_DEPLOYED = replace(
    LIVE,
    succeeded=False,
    live_generation=41,
    failures=[
        FailedTest("no_payment_is_below_zero", "fact_payment", 3, "target/no_payment.sql", "sales"),
        FailedTest("unique_dim_film_film_id", "dim_film", None),
    ],
    reason="2 tests failed.",
    models=[],
    publish_milliseconds=None,
    lock_attempts=None,
    rollback_command=None,
    confirmations=[],
    notes=[],
)


def notify(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a process whose environment says nothing else of notifications."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "MEDALLION_", "DBT_"))
        and not name.lower().endswith("_proxy")
    }
    environment = {**kept, "NO_COLOR": "1", **variables}
    return warm.run(ROOT / "scripts" / "notify.py", [*map(str, arguments)], environment, ROOT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "outcome.json"
    LIVE.to_json(path)
    return path


@pytest.fixture
def http() -> Iterator[Http]:
    with http_service() as service:
        yield service


# ------------------------------------------------------------------ what an outcome says


def test_an_outcome_is_what_was_written(tmp_path: Path) -> None:
    for outcome in (LIVE, NOT_DEPLOYED, Outcome("rollback", None, "dev", "dev")):
        outcome.to_json(tmp_path / "folder" / "outcome.json")
        assert Outcome.from_json(tmp_path / "folder" / "outcome.json") == outcome
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["outcome.json"]
    assert json.loads((tmp_path / "folder" / "outcome.json").read_text())["schema_version"] == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"schema_version": 2}, "schema_version 1"),
        ({"action": "deploy"}, "action"),
        ({"succeeded": "yes"}, "succeeded"),
        ({"generation": "42"}, "generation"),
        ({"notes": [1]}, "notes"),
        ({"surprise": 1}, "surprise"),
        ({"models": [{"name": "a", "change": "dropped"}]}, "change"),
        ({"models": [{"name": "a"}]}, "change"),
        (None, "not JSON"),
    ],
)
def test_what_is_no_outcome_is_bad_usage(file: Path, change: Any, word: str) -> None:  # noqa: ANN401
    document = json.loads(file.read_text())
    file.write_text("{" if change is None else json.dumps({**document, **change}))
    with pytest.raises(OutcomeError, match=word):
        Outcome.from_json(file)
    done = notify("outcome", file, "--dry-run")
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_usage_exits_with_2(file: Path, tmp_path: Path) -> None:
    assert notify("outcome", tmp_path / "none.json").returncode == 2
    assert notify("outcome", file, "--target", "prod").returncode == 2
    assert notify("outcome", file, "--target", "prod_sqlserver", "--dry-run").returncode == 0
    for command in (["run"], ["freshness"], ["outcome"]):
        assert notify(*command, "--target-path", tmp_path / "empty").returncode == 2
    assert notify("shout").returncode == 2


def test_a_dry_run_needs_nothing_and_prints_the_message(file: Path, tmp_path: Path) -> None:
    done = notify("outcome", file, "--dry-run", "--target-path", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "To everybody by MEDALLION_NOTIFY_URLS (not set):\n\n"
        "LIVE g42 on prod\n\n"
        "- Environment: prod (target prod_sqlserver)\n"
        "- Commit: 4f2a9c1e0b7d by Ada\n"
        "- To roll back: scripts/blue_green.py rollback --target prod --to 41\n"
        "- Took: 37 ms to publish, 2 attempts to lock, 1,184 s in all\n"
        "- The run: https://ci.example/runs/1\n\n"
        "Models: 1 removed, 1 changed, 1 new, 1 unchanged code\n"
        "- mart_old removed, had 7 rows\n"
        "- fact_rental changed, 1,000 → 990 rows (-10)\n"
        "- dim_film new, 1 row\n"
        "- dim_date unchanged code, 100 rows\n\n"
        "Confirmed by flag\n"
        "- --full-refresh\n\n"
        "Notes\n"
        "- fact_* was *not* touched\n\n"
    )


def test_a_deploy_that_failed_says_what_is_live_and_what_to_look_at(
    file: Path, tmp_path: Path
) -> None:
    NOT_DEPLOYED.to_json(file)
    done = notify("outcome", file, "--dry-run", "--target-path", tmp_path)
    assert done.stdout == (
        "To everybody by MEDALLION_NOTIFY_URLS (not set):\n\n"
        "NOT deployed to prod, live is still g41\n\n"
        "2 tests failed.\n\n"
        "Failing tests\n"
        "- no_payment_is_below_zero on fact_payment: 3 rows, owner sales,"
        " query target/no_payment.sql\n"
        "- unique_dim_film_film_id on dim_film: it could not run\n\n"
        "- Environment: prod (target prod_sqlserver)\n"
        "- Commit: 4f2a9c1e0b7d by Ada\n"
        "- Tried: g42\n"
        "- Took: 1,184 s in all\n"
        "- The run: https://ci.example/runs/1\n\n"
    )


@pytest.mark.parametrize(
    ("outcome", "verdict", "kind"),
    [
        (replace(LIVE, environment="dev"), "LIVE g42 on dev", "success"),
        (
            replace(LIVE, reason="extract.py failed."),
            "LIVE g42 on prod, but not all went well",
            "warning",
        ),
        (
            replace(NOT_DEPLOYED, live_generation=0),
            "NOT deployed to prod, nothing is live yet",
            "failure",
        ),
        (
            replace(NOT_DEPLOYED, live_generation=None),
            "NOT deployed to prod, live is as it was",
            "failure",
        ),
        (
            replace(NOT_DEPLOYED, succeeded=None),
            "NOT KNOWN whether g42 is live on prod",
            "failure",
        ),
        (
            replace(LIVE, action="rollback", generation=41, previous_generation=42),
            "ROLLED BACK: prod is live on g41, g42 taken back",
            "warning",
        ),
        (
            replace(NOT_DEPLOYED, action="rollback", live_generation=42),
            "NOT rolled back on prod, live is still g42",
            "failure",
        ),
    ],
)
def test_the_verdict_comes_first(
    file: Path, http: Http, outcome: Outcome, verdict: str, kind: str
) -> None:
    outcome.to_json(file)
    done = notify("outcome", file, MEDALLION_NOTIFY_URLS=http.url)
    assert done.stdout == "Told MEDALLION_NOTIFY_URLS 1 (JSON).\n"
    (sent,) = http.received
    assert sent["title"] == verdict
    assert sent["type"] == kind
    assert (outcome.reason or "") in sent["message"]


def test_an_outcome_is_told_even_if_nobody_knows_the_owners(file: Path, http: Http) -> None:
    NOT_DEPLOYED.to_json(file)
    (file.parent / "manifest.json").write_text("{")
    done = notify("outcome", "--target-path", file.parent, MEDALLION_NOTIFY_URLS=http.url)
    assert done.returncode == 0
    assert "manifest.json cannot be read" in done.stderr
    (sent,) = http.received
    assert "3 rows, owner sales" in sent["message"]


def test_what_the_outcome_leaves_open_the_ci_tells(file: Path, tmp_path: Path) -> None:
    replace(LIVE, commit=None, author=None, run_url=None).to_json(file)
    done = notify(
        *("outcome", file, "--dry-run", "--target-path", tmp_path),
        GITHUB_SHA="abcdef0123456789",
        GITHUB_ACTOR="Bob",
        GITHUB_SERVER_URL="https://github.example",
        GITHUB_REPOSITORY="team/medallion",
        GITHUB_RUN_ID="17",
    )
    assert "- Commit: abcdef012345 by Bob\n" in done.stdout
    assert "- The run: https://github.example/team/medallion/actions/runs/17\n" in done.stdout


# ------------------------------------------------------------------ what services are sent


def test_webhooks_get_title_text_and_type(file: Path, http: Http) -> None:
    NOT_DEPLOYED.to_json(file)
    with http_service() as other:
        both = f"{http.url},{other.url} {http.url}"
        done = notify("outcome", file, MEDALLION_NOTIFY_URLS=both)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(other.received) == 1
    (sent,) = http.received
    assert (sent["title"], sent["type"]) == ("NOT deployed to prod, live is still g41", "failure")
    assert sent["message"].startswith("2 tests failed.\n\nFailing tests\n- no_payment_is_below")


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_slack_discord_and_teams_get_what_their_clients_make_of_it(
    file: Path, tmp_path: Path
) -> None:
    outcome = replace(LIVE, notes=["fact_* of <!channel> & @everyone <at>x</at>"], models=[])
    outcome.to_json(file)
    hosts = ["hooks.slack.com", "discord.com", "prod-1.logic.azure.com"]
    with http_service(certificate(tmp_path, hosts)) as services:
        done = notify(
            *("outcome", file),
            HTTPS_PROXY=f"http://127.0.0.1:{services.port}",
            REQUESTS_CA_BUNDLE=str(tmp_path / "public.pem"),
            MEDALLION_NOTIFY_URLS=(
                f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN}"
                f" https://discord.com/api/webhooks/4174216298/{TOKEN}"
                " https://prod-1.logic.azure.com:443/workflows/643e69f83c8944/triggers/manual"
                f"/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig={TOKEN}"
            ),
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(" (")[0] for line in done.stdout.splitlines()] == [
        f"Told MEDALLION_NOTIFY_URLS {number}" for number in (1, 2, 3)
    ]
    assert TOKEN not in done.stdout
    sent = {request.host.partition(":")[0]: request for request in services.requests}
    assert sorted(sent) == sorted(hosts)
    assert all(TOKEN in request.path for request in sent.values())

    slack = sent["hooks.slack.com"].json
    (attachment,) = slack["attachments"]
    assert (slack["mrkdwn"], attachment["title"]) == (True, "LIVE g42 on prod")
    assert "<https://ci.example/runs/1|The run>" in attachment["text"]
    assert "`scripts/blue_green.py rollback --target prod --to 41`" in attachment["text"]
    assert "• `fact_*` of &lt;!channel&gt; &amp; @" in attachment["text"]
    assert "@everyone" not in attachment["text"]

    discord = sent["discord.com"].json["content"]
    assert discord.startswith("**LIVE g42 on prod**\r\n- Environment: prod")
    assert "[The run](<https://ci.example/runs/1>)" in discord
    assert "fact\\_\\* of \\<!channel\\> & @" in discord
    assert "@everyone" not in discord

    card = sent["prod-1.logic.azure.com"].json["attachments"][0]["content"]
    title, body = card["body"]
    assert title["text"] == "LIVE g42 on prod"
    assert "scripts/blue\\_green.py rollback --target prod --to 41" in body["text"]
    assert "[The run](https://ci.example/runs/1)" in body["text"]
    assert "entities" not in card["msteams"]  # nobody is mentioned


class Shown(HTMLParser):
    """What a page shows, and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.elements = "", list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_an_email_has_the_verdict_as_its_subject(file: Path) -> None:
    replace(LIVE, notes=["<script>alert(1)</script> & more"]).to_json(file)
    with mail_service(PASSWORD) as mail:
        address = (
            f"mailto://ann:{PASSWORD}@127.0.0.1:{mail.port}"
            "?from=medallion@example.com&to=team@example.com&mode=insecure"
        )
        done = notify("outcome", file, MEDALLION_NOTIFY_URLS=address)
    assert (done.returncode, done.stderr) == (0, "")
    assert mail.users == ["ann"]
    (sent,) = mail.messages
    assert sent["Subject"] == "LIVE g42 on prod"
    assert (sent["To"], sent["From"]) == ("team@example.com", "medallion@example.com")
    page, text = sent.get_body(("html",)), sent.get_body(("plain",))
    assert page is not None
    assert text is not None
    shown = Shown(page.get_content())
    assert shown.text.strip().startswith("LIVE g42 on prod")
    assert "<script>alert(1)</script> & more" in shown.text
    assert "script" not in shown.elements
    assert {"strong", "li", "a"} <= set(shown.elements)
    assert "- fact_rental changed, 1,000 → 990 rows (-10)" in text.get_content().splitlines()
    assert "- The run: https://ci.example/runs/1" in text.get_content()


# ------------------------------------------------------------------ when a service fails


def test_a_service_that_is_busy_is_tried_once_more(file: Path, http: Http) -> None:
    http.answers = [429]
    done = notify("outcome", file, MEDALLION_NOTIFY_URLS=http.url)
    assert (done.stdout, done.stderr) == ("Told MEDALLION_NOTIFY_URLS 1 (JSON).\n", "")
    assert len(http.requests) == 2


def test_a_service_that_answers_500_is_a_warning(file: Path, http: Http) -> None:
    http.answers = [500, 503, 200]
    done = notify("outcome", file, MEDALLION_NOTIFY_URLS=http.url)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "Warning: MEDALLION_NOTIFY_URLS 1 (JSON) was not told: it answered 503.\n"
    )
    assert len(http.requests) == 2


def test_services_that_hang_hold_up_nobody(file: Path, http: Http) -> None:
    http.answers = [HANG]
    with http_service() as well, http_service() as silent:
        # An HTTP server says nothing until it is asked; a mail server would have to greet.
        mail = f"mailto://ann:{PASSWORD}@127.0.0.1:{silent.port}?from=m@example.com&{MAIL_TO}"
        began = time.monotonic()
        done = notify("outcome", file, MEDALLION_NOTIFY_URLS=f"{http.url} {mail} {well.url}")
        took = time.monotonic() - began
        assert len(well.received) == 1
    assert (done.returncode, done.stdout) == (0, "Told MEDALLION_NOTIFY_URLS 3 (JSON).\n")
    assert done.stderr.splitlines() == [
        "Warning: MEDALLION_NOTIFY_URLS 1 (JSON) was not told: no answer within 10 s.",
        "Warning: MEDALLION_NOTIFY_URLS 2 (E-Mail) was not told: no answer within 10 s.",
    ]
    assert 9 < took < 20
    assert len(http.requests) == 1  # a second message may be one too many


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_no_secret_is_told_or_printed(file: Path, http: Http) -> None:
    replace(
        LIVE,
        notes=[f"the job's token is {SECRET}", f"postgresql://ann:{PASSWORD}@host/warehouse"],
        rollback_command=f"run --url {http.url}?token={TOKEN}",
    ).to_json(file)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refusing = closed.getsockname()[1]
    with mail_service("another") as mail:
        addresses = [
            f"{http.url}?token={TOKEN}",
            f"json://ann:{PASSWORD}@127.0.0.1:{refusing}/{TOKEN}",
            f"mailto://ann:{PASSWORD}@127.0.0.1:{mail.port}?from=m@example.com&{MAIL_TO}",
            f"https://unknown.example/{TOKEN}",
            f"slack://{TOKEN}!",
            f"json://[{TOKEN}",
            f"{TOKEN}",
        ]
        variables = {"MEDALLION_NOTIFY_URLS": " ".join(addresses), "DEPLOY_TOKEN": SECRET}
        done = notify("outcome", file, **variables)
        dry = notify("outcome", file, "--dry-run", **variables)
    assert (done.returncode, dry.returncode) == (0, 0)
    assert done.stdout == "Told MEDALLION_NOTIFY_URLS 1 (JSON).\n"
    warnings = done.stderr.splitlines()
    assert len(warnings) == 6
    for number, warning in enumerate(warnings, start=2):
        assert warning.startswith(f"Warning: MEDALLION_NOTIFY_URLS {number}")
    assert "can't be reached" in warnings[0]
    assert warnings[2].endswith("this is no address that apprise knows, see docs/notifications.md.")
    assert "(7 addresses)" in dry.stdout
    (sent,) = http.requests
    for said in (done.stdout, done.stderr, dry.stdout, dry.stderr, sent.body):
        assert not any(secret in said for secret in (PASSWORD, TOKEN, SECRET)), said
    assert "the job's token is *****" in sent.body


# ------------------------------------------------------------------ formats


HOSTILE = [
    *(
        "fact_*",
        "*bold* _it_ __x__ ~~gone~~",
        "`code` ``",
        "[a](http://b)",
        "![i](x)",
        "<b>&amp;</b>",
    ),
    *("# head", "\\* \\", "a|b", "<https://x.example>", "1_2_3", "&lt;", "@everyone", "*"),
]


def hostile(numbers: random.Random) -> Message:
    def text() -> str:
        return " ".join(numbers.choices(HOSTILE, k=numbers.randint(1, 5)))

    blocks = tuple(
        Block(
            tuple(
                ("It is ", text(), " ", Code(numbers.choice(HOSTILE)), ".")
                for _ in range(numbers.randint(1, 9))
            ),
            numbers.choice(["", "Title"]),
            vital=numbers.random() < 0.5,
        )
        for _ in range(numbers.randint(0, 4))
    )
    return Message(text(), "failure", blocks)


@pytest.mark.parametrize("as_written", [Markdown(), Teams()], ids=["markdown", "teams"])
def test_text_is_not_taken_for_markdown(as_written: Format) -> None:
    numbers, reader = random.Random(7), MarkdownIt()  # noqa: S311
    for _ in range(100):
        message = hostile(numbers)
        page = Shown(reader.render(as_written.body(message, 100_000, with_verdict=True)))
        assert set(page.elements) <= {"p", "strong", "ul", "li", "code"}
        meant = Text().body(message, 100_000, with_verdict=True)

        def words(text: str) -> str:
            return "".join(text.replace("\u200b", "").replace("- It is", "It is").split())

        assert words(page.text) == words(meant)


def test_text_is_not_taken_for_html() -> None:
    numbers = random.Random(7)  # noqa: S311
    for _ in range(100):
        message = hostile(numbers)
        page = Shown(Html().body(message, 100_000, with_verdict=True))
        assert set(page.elements) <= {"div", "p", "strong", "ul", "li", "span"}
        meant = Text().body(message, 100_000, with_verdict=True).replace("- It is", "It is")
        assert "".join(page.text.split()) == "".join(meant.split())


@pytest.mark.parametrize(
    "as_written", [Text(), Markdown(), Slack(), Teams(), Html()], ids=lambda one: type(one).__name__
)
def test_a_message_fits_and_its_verdict_stays(as_written: Format) -> None:
    numbers = random.Random(7)  # noqa: S311
    for _ in range(200):
        message = replace(hostile(numbers), verdict="LIVE g42")
        length, title_length = numbers.randint(20, 2000), numbers.choice([0, 60, 250])
        title, body = fitted(message, as_written, title_length=title_length, body_length=length)
        assert len(title) <= title_length
        assert body
        assert len(title) + len(body) <= length - (2 if title else 0)
        assert "LIVE g42" in title + body


def test_of_many_models_a_short_message_tells_the_number(file: Path, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    models = [ModelChange(f"mart_{n:04}_{'x' * 60}", "changed", 1, 2) for n in range(300)]
    replace(LIVE, models=models).to_json(file)
    with http_service(certificate(tmp_path, ["discord.com"])) as discord:
        notify(
            *("outcome", file),
            HTTPS_PROXY=f"http://127.0.0.1:{discord.port}",
            REQUESTS_CA_BUNDLE=str(tmp_path / "public.pem"),
            MEDALLION_NOTIFY_URLS=f"discord://4174216298/{TOKEN}",
        )
    (sent,) = discord.requests
    content = sent.json["content"]
    assert 1000 < len(content) <= 2000
    assert content.startswith("**LIVE g42 on prod**")
    assert "rollback --target prod --to 41" in content
    shown = content.count("- `mart_")
    assert f"- … and {300 - shown} more" in content
    assert "**Models: 300 changed**" in content


def test_what_a_database_said_is_told_without_rows() -> None:
    said = (
        "Database Error in model dim_customer (models/dim_customer.sql)\n"
        '  null value in column "id" violates not-null constraint\n'
        "  DETAIL:  Failing row contains (Ann, 4711).\n"
        "  compiled code at target/run/dim_customer.sql"
    )
    assert without_data(said) == (
        "Database Error in model dim_customer (models/dim_customer.sql)"
        ' null value in column "id" violates not-null constraint'
    )


# ------------------------------------------------------------------ dbt's runs, and owners

FILES = {
    "models/order_lines.sql": "select 1 as id, -5 as amount",
    "models/careless.sql": """
        {{ config(materialized='table', group='core') }}
        select cast('ada@example.com' as integer) as id
    """,
    "tests/no_amount_is_below_zero.sql": "select * from {{ ref('order_lines') }} where amount < 0",
    "models/properties.yml": """
        groups:
          - name: sales
            owner: {name: sales-team, email: sales@example.com}
            config: {meta: {notify: SALES_NOTIFY_URLS}}
          - name: core
            owner: {name: core-team, email: core@example.com}
        models:
          - name: order_lines
            config: {group: sales}
            columns:
              - name: amount
                data_tests:
                  - accepted_values: {name: amounts_are_small, arguments: {values: [1]},
                      config: {severity: warn}}
        sources:
          - name: shop
            schema: landing_shop
            config:
              meta: {owner: sales-team}
              loaded_at_field: loaded_at
              freshness:
                warn_after: {count: 1, period: hour}
                error_after: {count: 1, period: day}
            tables: [{name: orders}, {name: late}]
          - name: weather
            schema: landing_shop
            config:
              meta: {owner: core-team}
              loaded_at_field: loaded_at
              freshness: {error_after: {count: 1, period: day}}
            tables: [{name: rain}]
    """,
}


@dataclass
class Project:
    """A small project with the real hooks, its artifacts and its warehouse."""

    folder: Path
    database: Database

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def dbt(self, *arguments: str) -> None:
        options = ["--project-dir", str(self.folder), "--profiles-dir", str(ROOT)]
        target = str(self.target)
        env = {**self.database.env, "DBT_TARGET_PATH": target, "DBT_LOG_PATH": target}
        done = warm.run(DBT, [*arguments, *options], parsed.reuse(env, "notify"), ROOT)
        parsed.keep(env, "notify")
        assert "not recorded" not in done.stdout

    def notify(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        names = ("MEDALLION_PGHOST", "MEDALLION_PGDATABASE", "USER")
        warehouse = {name: self.database.env[name] for name in names}
        options = ("--target-path", str(self.target))
        return notify(*arguments, *options, **warehouse, **variables)


@pytest.fixture
def project(tmp_path: Path, warehouse: Database) -> Project:
    folder = tmp_path / "project"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()))
    (folder / "macros").symlink_to(ROOT / "macros")
    declared = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    kept = ("name", "version", "profile", "flags", "vars", "on-run-start", "on-run-end")
    (folder / "dbt_project.yml").write_text(
        yaml.safe_dump({**{key: declared[key] for key in kept}, "clean-targets": []})
    )
    return Project(folder, warehouse)


def test_of_a_failed_run_each_owner_hears_what_is_theirs(project: Project, http: Http) -> None:
    project.dbt("build")
    done = project.notify("run", "--dry-run", MEDALLION_PIPELINE="nightly")
    assert done.stderr == ""
    ended = json.loads((project.target / "run_results.json").read_text())
    moment = ended["metadata"]["generated_at"][:16].replace("T", " ")
    test = (
        "- no_amount_is_below_zero on order_lines: 1 row, owner sales-team (sales@example.com),"
        f" query {project.target}/compiled/medallion/tests/no_amount_is_below_zero.sql,"
        " see the failing rows: dbt show -s no_amount_is_below_zero --target dev --limit 20"
        " --no-write-json\n"
    )
    facts = (
        "- Environment: dev\n- Command: dbt build\n- Pipeline: nightly\n"
        f"- Ended: {moment} UTC after {ended['elapsed_time']:,.0f} s\n\n"
    )
    warned = (
        "Warned\n- amounts_are_small on order_lines: 1 row, owner sales-team (sales@example.com),"
        f" query {project.target}/compiled/medallion/models/properties.yml/amounts_are_small.sql,"
        " see the failing rows: dbt show -s amounts_are_small --target dev --limit 20"
        " --no-write-json\n\n"
    )
    assert done.stdout == (
        "To everybody by MEDALLION_NOTIFY_URLS (not set):\n\n"
        "FAILED: dbt build on dev, 1 model, 1 data test\n\n"
        "Failed\n"
        "- careless: Database Error in model careless (models/careless.sql) invalid input syntax"
        ' for type integer: "***", owner core-team (core@example.com), build again, with all that'
        " reads it: dbt build -s careless+ --target dev\n"
        f"{test}\n{facts}{warned}"
        "To sales-team by SALES_NOTIFY_URLS (not set):\n\n"
        "FAILED: dbt build on dev, 1 data test\n\n"
        f"Failed\n{test}\n{facts}{warned}"
    )

    with http_service() as sales:
        done = project.notify("run", MEDALLION_NOTIFY_URLS=http.url, SALES_NOTIFY_URLS=sales.url)
    assert done.stderr == ""
    (every,), (theirs,) = http.received, sales.received
    assert "careless" in every["message"]
    assert "careless" not in theirs["message"]
    assert "no_amount_is_below_zero" in theirs["message"]
    assert "ada@example.com" not in every["message"]

    # Who hears everything already hears it once.
    done = project.notify("run", MEDALLION_NOTIFY_URLS=http.url, SALES_NOTIFY_URLS=http.url)
    assert len(http.requests) == 2
    assert http.received[-1] == every

    # A channel that is named but not set is a warning.
    done = project.notify("run", MEDALLION_NOTIFY_URLS=http.url)
    assert done.stderr == (
        "Warning: SALES_NOTIFY_URLS is not set, so the message to sales-team is not sent: see"
        " .env.example.\n"
    )

    # The failures of a deploy find their owners by the groups' names.
    replace(NOT_DEPLOYED, target="dev").to_json(project.target / "outcome.json")
    with http_service() as sales:
        done = project.notify("outcome", SALES_NOTIFY_URLS=sales.url)
    assert "MEDALLION_NOTIFY_URLS is not set" in done.stderr
    (theirs,) = sales.received
    assert theirs["title"] == "NOT deployed to prod, live is still g41"
    assert "owner sales-team (sales@example.com)" in theirs["message"]
    assert "unique_dim_film_film_id" not in theirs["message"]

    # An address in the place of a variable's name is not repeated.
    manifest = json.loads((project.target / "manifest.json").read_text())
    manifest["groups"]["group.medallion.sales"]["config"]["meta"]["notify"] = f"slack://{TOKEN}"
    (project.target / "manifest.json").write_text(json.dumps(manifest))
    done = project.notify("run", "--dry-run")
    assert done.returncode == 0
    assert "the group sales names no variable in config.meta.notify" in done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_a_run_in_which_nothing_failed_is_not_told_of(project: Project, http: Http) -> None:
    project.dbt("build", "--exclude", "careless", "no_amount_is_below_zero")
    done = project.notify("run", MEDALLION_NOTIFY_URLS=http.url)
    assert (done.returncode, done.stdout) == (0, "Nothing failed, so there is nothing to tell.\n")
    assert not http.requests
    project.notify("run", "--warnings", MEDALLION_NOTIFY_URLS=http.url)
    (sent,) = http.received
    assert (sent["title"], sent["type"]) == ("WARNED: dbt build on dev, 1 data test", "warning")
    assert project.notify("run", "--target", "prod").returncode == 2


def test_a_stale_source_is_told_of_when_it_becomes_so_and_once_a_day(
    project: Project, http: Http
) -> None:
    database = project.database
    database.execute(
        "create schema landing_shop;"
        "create table landing_shop.orders as select now() - interval '50 hours' as loaded_at;"
        "create table landing_shop.late as select now() - interval '3 hours' as loaded_at;"
        "create table landing_shop.rain as select now() - interval '2 hours' as loaded_at"
    )
    variables = {"MEDALLION_NOTIFY_URLS": http.url}

    def told(*options: str) -> list[str]:
        """Titles of what is sent after one more measurement, an hour after the one before."""
        http.requests.clear()
        database.execute(
            "update ops.source_freshness_results set recorded_at = recorded_at - interval '1 hour'"
        )
        project.dbt("source", "freshness")
        done = project.notify("freshness", *options, **variables)
        assert done.returncode == 0
        return [sent["title"] for sent in http.received]

    project.dbt("source", "freshness")
    dry = project.notify("freshness", "--dry-run")
    moment = json.loads((project.target / "sources.json").read_text())["metadata"]["generated_at"]
    facts = f"- Environment: dev\n- Measured: {moment[:16].replace('T', ' ')} UTC\n\n"
    orders = "shop.orders: last extracted 50.0 hours ago, the limit is 24, owner sales-team"
    for who in ("everybody by MEDALLION_NOTIFY_URLS", "sales-team by SALES_NOTIFY_URLS"):
        assert (
            f"To {who} (not set):\n\nSTALE on dev: shop.orders\n\n"
            f"{orders} (sales@example.com)\n\n{facts}"
        ) in dry.stdout

    first = project.notify("freshness", **variables)
    assert "SALES_NOTIFY_URLS is not set" in first.stderr
    assert [sent["title"] for sent in http.received] == ["STALE on dev: shop.orders"]
    assert told() == []  # it was told of an hour ago
    database.execute("update landing_shop.rain set loaded_at = now() - interval '3 days'")
    assert told() == ["STALE on dev: weather.rain"]
    assert told() == []
    # As if all was measured 21 hours earlier: now orders are stale for a day, rain is not.
    database.execute(
        "update ops.source_freshness_results set recorded_at = recorded_at - interval '20 hours'"
    )
    assert told() == ["STALE on dev: shop.orders"]
    assert told() == []
    assert told() == ["STALE on dev: weather.rain"]
    # What was fresh in between becomes stale anew.
    database.execute("update landing_shop.orders set loaded_at = now()")
    database.execute("update landing_shop.late set loaded_at = now()")
    assert told() == []
    database.execute("update landing_shop.orders set loaded_at = now() - interval '2 days'")
    database.execute("update landing_shop.late set loaded_at = now() - interval '3 hours'")
    assert told("--warnings") == ["STALE on dev: 2 tables, shop.orders, shop.late"]
    assert told("--warnings") == []


def test_a_source_that_cannot_be_measured_is_told_of_too(project: Project, http: Http) -> None:
    project.database.execute("create schema landing_shop")  # but none of its tables
    project.dbt("source", "freshness")
    done = project.notify("freshness", MEDALLION_NOTIFY_URLS=http.url)
    assert done.returncode == 0
    (sent,) = http.received
    assert sent["title"] == "STALE on dev: 3 tables, shop.late, shop.orders, weather.rain"
    assert "- shop.late: its age cannot be measured (Database Error in source" in sent["message"]


def test_without_a_record_all_that_is_stale_is_told(project: Project, http: Http) -> None:
    project.database.execute(
        "create schema landing_shop;"
        "create table landing_shop.rain as select now() - interval '2 days' as loaded_at"
    )
    project.dbt("source", "freshness")
    project.database.execute("drop schema ops cascade")
    for _ in range(2):
        done = project.notify("freshness", MEDALLION_NOTIFY_URLS=http.url)
        assert done.returncode == 0
        assert "what was told before is not known, so all is told" in done.stderr
    assert [sent["title"] for sent in http.received] == ["STALE on dev: weather.rain"] * 2
