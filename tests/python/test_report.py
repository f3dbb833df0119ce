"""The run report, made from a real dbt run on a real warehouse (fixtures/report_project)."""

from __future__ import annotations

import functools
import http.server
import itertools
import json
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import warm
from common.project import ROOT
from databases import Database, temporary_database
from reporting.artifacts import read_manifest, read_run
from reporting.collect import collect
from reporting.render import NONE, anchors, moment, redactor, render, seconds, ticks
from reporting.timeline import longest_chain, run_graph, timeline
from reporting.warehouse_facts import read_warehouse, row_counts

# One run serves all of these tests, so one worker does.

DBT = Path(sys.executable).with_name("dbt")
PROJECT = Path(__file__).parent / "fixtures" / "report_project"
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&"
ROW_VALUE = "Zaphod Unlisted 4711"

LANDING = f"""
create schema landing_shop;
create table landing_shop.orders as
    select g as order_id, case when g < 9 then g - 2 end as amount, now() as _loaded_at
    from generate_series(1, 9) as g;
create table landing_shop.customers as
    select 1 as customer_id, cast('Ann' as text) as customer_name,
        now() - interval '13 hours' as _loaded_at
    union all select 2, '{ROW_VALUE}', now() - interval '20 hours';
create table landing_shop.returns as select 1 as id, now() - interval '50 hours' as _loaded_at;
create table landing_shop.audit_log as select 1 as id;
create schema ops;
create table ops.extract_batches (
    batch_id bigint generated always as identity primary key, run_id text, source_name text,
    table_name text, mode text, status text, started_at timestamptz, finished_at timestamptz,
    rows_loaded bigint, rows_deleted bigint, rows_restored bigint, cursor_from text,
    cursor_to text, schema_changes text, error text
);
insert into ops.extract_batches (
    run_id, source_name, table_name, mode, status, started_at, finished_at, rows_loaded,
    rows_deleted, rows_restored, schema_changes, error
) values
    ('before', 'shop', 'orders', 'cursor', 'loaded', now(), now(), 98765, 0, 0, null, null),
    ('last', 'shop', 'orders', 'cursor', 'failed', now(), now(), null, null, null, null, 'retried'),
    ('last', 'shop', 'orders', 'cursor', 'loaded', now() - interval '2 seconds', now(), 1009, 3, 1,
        '["added column discount"]', null),
    ('last', 'shop', 'returns', 'full', 'failed', now(), now(), null, null, null, null,
        'permission denied for table returns');
"""


@dataclass(frozen=True)
class Built:
    """The one run that the tests of this module share, and the folder of its artifacts."""

    database: Database
    target: Path

    def page(self, target: Path | None = None) -> str:
        return render(collect(target or self.target))

    def change(self, folder: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
        """A copy of the artifacts in which `edit` has changed manifest, run and sources."""
        names = ("manifest.json", "run_results.json", "sources.json")
        documents = {name: json.loads((self.target / name).read_text()) for name in names}
        edit(documents)
        for name, document in documents.items():
            (folder / name).write_text(json.dumps(document))
        return folder


@pytest.fixture(scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    target = tmp_path_factory.mktemp("target")
    with temporary_database("report") as database:
        database.execute(LANDING)
        for command in (["source", "freshness"], ["build"]):
            options = ["--project-dir", PROJECT, "--profiles-dir", ROOT, "--target-path", target]
            options += ["--log-path", target / "logs", "--threads", "2"]
            done = warm.run(DBT, [*command, *map(str, options)], database.env, ROOT)
            assert done.returncode == 1, done.stdout  # a stale source, a broken model
        yield Built(database, target)


@pytest.fixture
def built(_built: Built, monkeypatch: pytest.MonkeyPatch) -> Built:
    """The shared run, with an environment in which the dev target is its warehouse."""
    for name, value in _built.database.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MEDALLION_TARGET", raising=False)
    return _built


class Page(HTMLParser):
    """A page as a browser reads it: elements, text, and whether all that opens is closed."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.sections: dict[str, str] = {}
        self._section = ""
        self.feed(html.replace("<wbr>", ""))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "section":
            self._section = dict(attrs)["id"] or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        name = self._section or ("header" if "header" in self.open else "")
        words = " ".join(data.split())
        if words and name:
            self.sections[name] = f"{self.sections.get(name, '')} {words}".strip()

    def all(self, attribute: str) -> list[str]:
        return [value for _, found in self.elements if (value := found.get(attribute)) is not None]


def test_the_verdict_comes_first_with_its_reasons(built: Built) -> None:
    page = Page(built.page())
    header = page.sections["header"]
    reasons = (
        "FAILED 1 failed extraction, 1 failed model, 1 failed test, 1 stale source, 3 warnings,"
        " 2 skipped;"  # mart_held_back and the exposure that reads it
    )
    assert reasons in header
    assert "Target dev (postgres)" in header
    assert "Command dbt build" in header
    titles = [found["id"] for tag, found in page.elements if tag == "section"]
    assert titles == [
        *("failures", "warnings", "skipped", "timeline", "slowest", "landed"),
        *("freshness", "rows", "lineage", "nodes"),
    ]


def test_a_failed_test_shows_rule_owner_query_and_commands(built: Built) -> None:
    report = collect(built.target)
    assert [problem.what for problem in report.failures] == [
        "Extraction",
        "Model",
        "Data test",
        "Freshness",
    ]
    (test,) = [p for p in report.failures if p.title == "customers_are_known_by_name"]
    assert test.count == 1
    assert test.owner == "customer-team"
    assert test.description == "We know both of our customers."
    assert test.message == "Got 1 result, configured to fail if != 0"
    failures = Page(render(report)).sections["failures"]
    assert "where value_field not in ( 'Ann','Bob' )" in failures
    assert "dbt test -s customers_are_known_by_name" in failures
    assert "dbt show -s customers_are_known_by_name --limit 20 --no-write-json" in failures
    # The query is what it says: it returns the one failing row.
    assert built.database.query(test.sql) == [(ROW_VALUE, 1)]


def test_a_broken_model_says_what_the_database_said(built: Built) -> None:
    (model,) = [p for p in collect(built.target).failures if p.title == "mart_broken"]
    assert 'column "no_such_column" does not exist' in model.message
    assert model.commands == (("Build again, with all that reads it", "dbt build -s mart_broken+"),)


def test_warnings_name_an_owner_even_if_only_the_source_has_one(built: Built) -> None:
    owners = {problem.title: problem.owner for problem in collect(built.target).warnings}
    assert owners == {
        "not_null_stg_shop__orders_amount": "shop-team",
        "orders_are_not_negative": "finance",
        "shop.customers": "shop-team",
    }


def test_what_was_skipped_is_put_down_to_its_cause(built: Built) -> None:
    (group,) = collect(built.target).skipped
    assert group.cause == "model.report_project.mart_broken"
    assert [node.name for node in group.nodes] == ["board", "mart_held_back"]


def test_the_critical_path_is_the_chain_through_the_slow_model(built: Built) -> None:
    times = collect(built.target).timeline
    assert times is not None
    names = [span.node.name for span in times.critical]
    assert [name for name in names if "not_null" not in name and "negative" not in name] == [
        "br_shop__orders",
        "stg_shop__orders",
        "int_orders_slow",
        *(["one_order_is_counted"] if "one_order_is_counted" in names else []),
        "metrics_orders",
    ]
    assert times.critical_run > 0.7
    assert times.critical_run + times.critical_wait <= times.seconds + 0.001
    assert len(times.lanes) == 2


def test_every_edge_of_the_run_graph_is_an_order_that_dbt_kept(built: Built) -> None:
    manifest = read_manifest(built.target / "manifest.json")
    run = read_run(built.target / "run_results.json")
    assert manifest is not None
    assert run is not None
    edges = [
        (run.results[parent], run.results[child])
        for child, parents in run_graph(manifest, run).items()
        for parent in parents
    ]
    timed = [(p, c) for p, c in edges if p.finished and c.started]
    assert len(timed) > 10
    for parent, child in timed:
        assert parent.finished is not None
        assert child.started is not None
        assert parent.finished <= child.started, (parent.unique_id, child.unique_id)
    pairs = {(p.unique_id.split(".")[2], c.unique_id.split(".")[2]) for p, c in edges}
    assert ("orders_are_not_negative", "stg_shop__orders") in pairs  # a test holds back a model


def test_the_longest_chain_equals_that_of_trying_all() -> None:
    numbers = random.Random(7)  # noqa: S311
    for _ in range(30):
        seconds_of = {str(i): numbers.random() for i in range(8)}
        graph = {
            str(i): frozenset(str(j) for j in range(i) if numbers.random() < 0.4) for i in range(8)
        }
        chains = (
            chain
            for size in range(1, 9)
            for chain in itertools.combinations(seconds_of, size)
            if all(a in graph[b] for a, b in itertools.pairwise(chain))
        )
        best = max(chains, key=lambda chain: sum(seconds_of[step] for step in chain))
        assert longest_chain(seconds_of, graph) == list(best)


def test_rows_landed_are_those_of_the_last_extraction(built: Built) -> None:
    landed = Page(built.page()).sections["landed"]
    assert "1,009 rows landed in 1 of 2 tables" in landed
    assert "shop.orders loaded cursor 1,009 3 1 2.00 added column discount" in landed
    assert f"shop.returns failed full {NONE} {NONE} {NONE} 0.00 permission denied" in landed
    assert "98,765" not in landed
    assert "retried" not in landed


def test_the_freshness_board_shows_age_and_limits_in_hours(built: Built) -> None:
    board = Page(built.page()).sections["freshness"]
    assert "1 of 4 source tables with a limit were fresh" in board
    assert "shop.returns stale 50.0 12.0 24.0" in board
    assert "shop.customers warned 13.0 12.0 24.0" in board
    assert "shop.orders fresh 0.0 12.0 24.0" in board
    assert f"shop.not_landed_yet not measured {NONE} 12.0 24.0" in board
    assert "audit_log" not in board


def test_rows_are_counted_by_layer_and_model(built: Built) -> None:
    report = collect(built.target)
    layers = {layer.name: layer for layer in report.layers}
    assert list(layers) == ["source", "bronze", "silver", "snapshot", "gold", "exposure"]
    rows = {row.node.name: row for layer in report.layers for row in layer.nodes}
    assert rows["br_shop__orders"].rows is not None
    assert rows["br_shop__orders"].rows.rows == 9
    assert rows["stg_shop__orders"].rows is None  # a view
    assert rows["dim_customer"].status == "failed"  # by its test
    assert rows["snap_customers"].node.domain == "shop"  # by what it reads


def test_a_large_table_is_estimated_in_no_time(warehouse: Database) -> None:
    warehouse.execute("create table small as select g from generate_series(1, 1000) as g")
    warehouse.execute("create table large as select g from generate_series(1, 400000) as g")
    relations = [("public", "small"), ("public", "large"), ("public", 'no such "table"')]
    with warehouse.connect() as connection:
        started = time.monotonic()
        counts = row_counts(connection, "postgres", relations)
        assert time.monotonic() - started < 1
    assert counts is not None
    assert set(counts) == set(relations[:2])
    assert counts["public", "small"].exact
    assert counts["public", "small"].rows == 1000
    assert not counts["public", "large"].exact
    assert 200_000 < counts["public", "large"].rows < 800_000


def test_no_row_of_the_warehouse_reaches_the_page(built: Built) -> None:
    assert built.database.scalar(
        "select count(*) from landing_shop.customers where customer_name = %s", (ROW_VALUE,)
    )
    assert ROW_VALUE not in built.page()


def test_the_page_is_sound_and_asks_for_nothing(built: Built) -> None:
    html = built.page()
    page = Page(html)
    assert page.open == []
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.all("href")} <= set(ids)
    assert page.all("src") == []
    assert not re.search(r"url\(|@import|https?://", html)
    tables = [tag for tag, _ in page.elements if tag in {"table", "caption"}]
    assert tables == ["table", "caption"] * (len(tables) // 2)
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))


def _hostile(documents: dict[str, Any]) -> None:
    manifest, run = documents["manifest.json"], documents["run_results.json"]
    for section in ("nodes", "sources", "exposures", "unit_tests"):
        for resource in manifest[section].values():
            resource["name"] += HOSTILE
            resource["description"] = HOSTILE
            resource["original_file_path"] = HOSTILE
            resource["fqn"] = [part + HOSTILE for part in resource["fqn"]]
            resource.setdefault("config", {})["meta"] = {"owner": HOSTILE}
            if resource.get("source_name"):
                resource["source_name"] += HOSTILE
            if resource.get("test_metadata"):
                resource["test_metadata"]["kwargs"]["values"] = [HOSTILE]
    manifest["metadata"]["project_name"] = HOSTILE
    for result in run["results"]:
        result["message"] = HOSTILE
        result["thread_id"] += HOSTILE
        result["compiled_code"] = HOSTILE
    run["args"]["select"] = [HOSTILE]
    run["metadata"]["dbt_version"] = HOSTILE


def test_hostile_names_and_messages_stay_text(built: Built, tmp_path: Path) -> None:
    batch = (HOSTILE, HOSTILE, HOSTILE, json.dumps([{HOSTILE: HOSTILE}]), HOSTILE)
    built.database.execute(
        "insert into ops.extract_batches (run_id, source_name, table_name, mode, status,"
        " started_at, schema_changes, error)"
        " values ('hostile', %s, %s, %s, 'failed', now(), %s, %s)",
        batch,
    )
    try:
        html = built.page(built.change(tmp_path, _hostile))
    finally:
        built.database.execute("delete from ops.extract_batches where run_id = 'hostile'")
    page = Page(html)
    assert page.open == []
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert {href[1:] for href in page.all("href")} <= set(page.all("id"))
    assert html.count("&lt;script&gt;alert") > 50


def test_secrets_are_masked_wherever_they_turn_up(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_ENV_SECRET_WAREHOUSE", "correct-horse")

    def leak(documents: dict[str, Any]) -> None:
        run = documents["run_results.json"]
        run["args"]["vars"] = {"token": "tok-1234"}
        run["args"]["invocation_command"] = "dbt build --vars '{token: tok-1234}'"
        for result in run["results"]:
            result["message"] = (
                "could not connect: correct-horse,"
                " postgresql://ada:b4ttery@db/x, host=db password='st aple' user=ada, PWD={o;k}"
            )

    html = built.page(built.change(tmp_path, leak))
    assert "could not connect: *****" in html
    for secret in ("correct-horse", "b4ttery", "st aple", "o;k", "tok-1234"):
        assert secret not in html


def test_redaction_leaves_the_rest_alone() -> None:
    redact = redactor({"DBT_ENV_SECRET_EMPTY": "", "PATH": "/usr/bin"})
    text = "select password, 'http://x/y' from t where a:b@c and /usr/bin"
    assert redact(text) == text


def test_nothing_there_yet_is_said_plainly(built: Built, tmp_path: Path) -> None:
    report = collect(tmp_path)
    assert report.verdict == "NO RUN"
    page = Page(render(report))
    assert "Nothing has run here yet" in page.sections["header"]
    assert "There is no manifest.json" in page.sections["header"]
    assert "Freshness was not measured" in page.sections["freshness"]
    assert "Without a manifest there is no lineage" in page.sections["lineage"]
    assert "1,009 rows landed" in page.sections["landed"]  # the warehouse has more to tell


def test_an_empty_warehouse_and_no_freshness(
    built: Built, warehouse: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDALLION_PGDATABASE", warehouse.name)
    built.change(tmp_path, lambda _: None)
    (tmp_path / "sources.json").unlink()
    page = Page(built.page(tmp_path))
    assert "Nothing has been extracted into" in page.sections["landed"]
    assert "Freshness was not measured" in page.sections["freshness"]
    assert "for 4 source tables" in page.sections["freshness"]
    assert f"The run built in database {built.database.name}" in page.sections["header"]


def test_a_warehouse_that_does_not_answer(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDALLION_PGHOST", str(tmp_path))
    page = Page(built.page())
    assert "The warehouse did not answer" in page.sections["landed"]
    assert "No such file or directory" in page.sections["landed"]
    assert "The warehouse did not answer" in page.sections["rows"]
    assert "extraction does not count in the verdict" in page.sections["header"]
    assert page.sections["header"].startswith("report_project run report FAILED")


def test_a_table_that_is_locked_keeps_only_the_counts_from_the_page(built: Built) -> None:
    with built.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create table public.locked (id int)")
        cursor.execute("begin; lock table public.locked")
        facts = read_warehouse(None, [("public", "locked")])
        cursor.execute("rollback; drop table public.locked")
    assert (facts.problem, facts.rows) == ("", None)
    assert facts.batches


def test_a_source_that_could_not_be_measured_is_a_failure(built: Built, tmp_path: Path) -> None:
    """As it is to dbt, which then ends with 1."""

    def refused(documents: dict[str, Any]) -> None:
        for result in documents["sources.json"]["results"]:
            if result["unique_id"].endswith(".orders"):
                name = result["unique_id"]
                result.clear()
                result |= {"unique_id": name, "status": "runtime error", "error": "no permission"}

    page = Page(built.page(built.change(tmp_path, refused)))
    assert "shop.orders" in page.sections["failures"]
    assert "no permission" in page.sections["failures"]


def test_a_run_of_three_nodes_that_passed(built: Built, tmp_path: Path) -> None:
    def three(documents: dict[str, Any]) -> None:
        run = documents["run_results.json"]
        run["args"]["select"] = ["+stg_shop__customers", "dim_date"]
        chosen = ("br_shop__customers", "stg_shop__customers", "dim_date")
        run["results"] = [r for r in run["results"] if r["unique_id"].endswith(chosen)]
        documents["sources.json"]["results"] = []

    built.change(tmp_path, three)
    built.database.execute(
        "update ops.extract_batches set status = 'loaded' where error like 'perm%'"
    )
    try:
        report = collect(tmp_path)
    finally:
        built.database.execute(
            "update ops.extract_batches set status = 'failed' where error like 'perm%'"
        )
    assert report.verdict_line == "PASSED: 3 models built, 1,009 rows landed."
    page = Page(render(report))
    assert "dbt build --select +stg_shop__customers dim_date" in page.sections["header"]
    assert "failures" not in page.sections


def test_only_warnings_pass_with_their_number(built: Built, tmp_path: Path) -> None:
    def warned(documents: dict[str, Any]) -> None:
        run = documents["run_results.json"]
        run["results"] = [r for r in run["results"] if r["status"] in {"warn", "pass", "success"}]
        documents["sources.json"]["metadata"]["generated_at"] = "2020-01-01T00:00:00Z"

    built.change(tmp_path, warned)
    built.database.execute("update ops.extract_batches set started_at = '2020-01-02 UTC'")
    try:
        report = collect(tmp_path)
    finally:
        built.database.execute("update ops.extract_batches set started_at = finished_at")
    assert report.verdict == "PASSED WITH 2 WARNINGS"
    # Yesterday's freshness and extraction are shown, and said not to count.
    header = Page(render(report)).sections["header"]
    assert "Freshness was measured 01 Jan 2020, 00:00 UTC, more than a day from the run" in header
    assert "The last extraction began 02 Jan 2020, 00:00 UTC, more than a day" in header


def test_a_manifest_of_another_command_is_pointed_out(built: Built, tmp_path: Path) -> None:
    def stranger(documents: dict[str, Any]) -> None:
        del documents["manifest.json"]["nodes"]["model.report_project.dim_date"]

    page = Page(built.page(built.change(tmp_path, stranger)))
    assert "manifest.json is from another dbt command than the run" in page.sections["header"]
    assert "1 node of the run is not in it." in page.sections["header"]
    assert "another dbt command" not in Page(built.page()).sections["header"]


def test_a_command_that_builds_nothing_has_no_verdict(built: Built, tmp_path: Path) -> None:
    def shown(documents: dict[str, Any]) -> None:
        documents["run_results.json"]["args"]["which"] = "show"

    report = collect(built.change(tmp_path, shown))
    assert report.verdict == "NO RUN"
    assert report.summary == "The last dbt command, `dbt show`, built and tested nothing."
    render(report)


def test_a_torn_artifact_is_named(built: Built, tmp_path: Path) -> None:
    built.change(tmp_path, lambda _: None)
    (tmp_path / "run_results.json").write_text('{"metadata": ')
    report = collect(tmp_path)
    assert report.verdict == "NO RUN"
    assert any("run_results.json cannot be read" in notice for notice in report.notices)
    (tmp_path / "run_results.json").write_text('{"metadata": {}, "results": {}}')
    assert any("is not what dbt" in notice for notice in collect(tmp_path).notices)


def test_the_command_writes_the_page_and_says_the_verdict(built: Built, tmp_path: Path) -> None:
    script = [
        sys.executable,
        str(ROOT / "scripts" / "report.py"),
        "--target-path",
        str(built.target),
    ]
    output = tmp_path / "new folder" / "page.html"
    done = subprocess.run(
        [*script, "--output", output],
        env=built.database.env,
        capture_output=True,
        text=True,
        check=True,
    )
    path, verdict = done.stdout.splitlines()
    assert Path(path) == output
    assert verdict.startswith("FAILED: 1 failed extraction")
    assert output.read_text().startswith("<!doctype html>")
    refused = subprocess.run(
        [*script, "--output", str(built.target / "manifest.json" / "x")],
        env=built.database.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_figures_in_words() -> None:
    assert [seconds(s) for s in (0.053, 12.34, 125, 3720)] == [
        "0.05 s",
        "12.3 s",
        "2 min 05 s",
        "1 h 02 min",
    ]
    assert ticks(1.9) == (0.0, 0.5, 1.0, 1.5)
    assert [moment(t) for t in ticks(400)] == ["0", "2 min", "4 min", "6 min"]
    assert [moment(t) for t in ticks(140)] == ["0", "30 s", "1 min", "1:30 min", "2 min"]
    ids = anchors(["model.a.b", "model.a.<b>", "model.a.[b]"])
    assert len(set(ids.values())) == 3
    assert ids["model.a.b"] == "model.a.b"


def test_a_run_without_times_has_no_timeline(built: Built, tmp_path: Path) -> None:
    def timeless(documents: dict[str, Any]) -> None:
        for result in documents["run_results.json"]["results"]:
            result["timing"] = []

    built.change(tmp_path, timeless)
    manifest, run = (
        read_manifest(tmp_path / "manifest.json"),
        read_run(tmp_path / "run_results.json"),
    )
    assert manifest is not None
    assert run is not None
    assert timeline(manifest, run) is None
    assert "No node of this run has times" in Page(built.page(tmp_path)).sections["timeline"]


# ---- in a browser

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

# A frame is as narrow as it is told to be, which a headless browser's window is not.
HARNESS = """<!doctype html><title>waiting</title><script>
addEventListener("load", async () => {
  const found = [];
  for (const width of [390, 1440]) {
    const frame = document.createElement("iframe");
    frame.style.cssText = `width:${width}px;height:900px;border:0`;
    frame.src = "report.html";
    document.body.append(frame);
    await new Promise(done => frame.addEventListener("load", done));
    const page = frame.contentWindow, root = page.document.documentElement;
    found.push({
      width: page.innerWidth,
      scroll: root.scrollWidth,
      requests: page.performance.getEntriesByType("resource").map(entry => entry.name),
      scripts: page.document.scripts.length,
      copy: page.document.querySelectorAll("button[data-copy]:not([hidden])").length,
    });
  }
  document.title = "done";
  document.body.innerHTML = "<pre>" + JSON.stringify(found) + "</pre>";
});
</script><body></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("edit", [lambda _: None, _hostile], ids=["as it ran", "hostile"])
def test_in_a_browser_nothing_overflows_and_nothing_is_fetched(
    built: Built, tmp_path: Path, edit: Callable[[dict[str, Any]], None]
) -> None:
    built.change(tmp_path, edit)
    (tmp_path / "report.html").write_text(built.page(tmp_path))
    (tmp_path / "index.html").write_text(HARNESS)
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(
            [
                *(str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}"),
                *("--virtual-time-budget=20000", "--window-size=1600,1000", "--dump-dom"),
                f"http://127.0.0.1:{server.server_port}/index.html",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        server.shutdown()
    found = re.findall(r"<pre>(\[.*\])</pre>", done.stdout)
    assert found, done.stderr[-2000:]
    for frame in json.loads(found[0]):
        assert frame["scroll"] <= frame["width"], frame
        assert frame["requests"] == []
        assert frame["scripts"] == 1
        assert frame["copy"] > 0  # the page's own script ran, under its own policy
    assert set(asked) <= {"/index.html", "/report.html", "/favicon.ico"}
