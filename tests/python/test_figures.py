"""Every demo source through to gold, over several days: the figures are those of the source.

fixtures/figures/<source>.yml holds the questions. Each is asked twice: in the warehouse, or of its
metrics, and in plain SQL in the source's own database.
"""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
import yaml

import demo_sources
from commands import dbt, mf, script
from common.project import ROOT
from databases import Database, temporary_database
from demo_days import SCALE

ANALYSES = sorted(file.stem for file in (ROOT / "analyses").glob("*.sql"))
FIGURES = Path(__file__).parent / "fixtures" / "figures"
DAYS = 3

# source -> question -> {warehouse: SQL, source: SQL}
QUESTIONS: dict[str, dict[str, dict[str, str]]] = {
    file.stem: yaml.safe_load(file.read_text())["questions"]
    for file in sorted(FIGURES.glob("*.yml"))
}
# source -> question -> {metrics: options of `mf query`, source: SQL}
METRICS: dict[str, dict[str, dict[str, str]]] = {
    file.stem: yaml.safe_load(file.read_text()).get("metrics", {})
    for file in sorted(FIGURES.glob("*.yml"))
}
# What the build may warn of, because the demo sources are wrong there on purpose.
KNOWN_WARNINGS = {
    name
    for file in FIGURES.glob("*.yml")
    for name in yaml.safe_load(file.read_text()).get("warnings", [])
}

Rows = list[tuple[Any, ...]]


@dataclass
class Warehouse:
    """All demo sources, a warehouse, and what was asked of them at the end of each day."""

    sources: dict[str, Database]
    database: Database
    target: Path
    answers: dict[tuple[int, str, str], tuple[Rows, Rows]] = field(default_factory=dict)
    warned: list[set[str]] = field(default_factory=list)  # on the first and the last day

    @property
    def env(self) -> dict[str, str]:
        urls = {f"{name.upper()}_URL": source.url for name, source in self.sources.items()}
        return {
            **self.database.env,
            **urls,
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.target),
        }

    def live(self, day: int) -> None:
        """A day: rows land, models are built, questions are asked."""
        for name, source in self.sources.items():
            if day:
                demo_sources.tick(source.url, name)
            else:
                demo_sources.build(source.url, name, SCALE)
        extracted = script("extract.py", env=self.env)
        assert extracted.returncode == 0, extracted.stderr
        is_tested = day in (0, DAYS - 1)
        without = ("unit_test",) if is_tested else ("unit_test", "test")
        built = dbt("build", *(f"--exclude-resource-type={kind}" for kind in without), env=self.env)
        assert built.returncode == 0, built.stdout
        if is_tested:
            results = json.loads((self.target / "run_results.json").read_text())["results"]
            self.warned.append(
                {node["unique_id"].split(".")[2] for node in results if node["status"] == "warn"}
            )
        for name, questions in QUESTIONS.items():
            for question, sql in questions.items():
                self.answers[day, name, question] = (
                    self.ask(sql["warehouse"]),
                    self.sources[name].query(sql["source"]),
                )

    def ask(self, query: str) -> Rows:
        return self.database.query(self.database.in_dev(query))

    def ask_metrics(self, options: str, folder: Path) -> list[list[str]]:
        """Asks MetricFlow, which knows no other artifacts than those in the project's target/."""
        for name in ("dbt_project.yml", "packages.yml", "profiles.yml"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "target").symlink_to(self.target)
        answer = folder / "answer.csv"
        env = {**self.env, "DBT_PROJECT_DIR": str(folder), "DBT_PROFILES_DIR": str(folder)}
        asked = mf("query", "--quiet", "--csv", str(answer), *shlex.split(options), env=env)
        assert asked.returncode == 0, asked.stdout + asked.stderr
        with answer.open() as lines:
            return [[_text(value) for value in row] for row in list(csv.reader(lines))[1:]]


def _text(value: Any) -> str:  # noqa: ANN401
    """A number is the same however many zeros it ends in."""
    try:
        return str(Decimal(str(value)).normalize())
    except InvalidOperation:
        return str(value)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with ExitStack() as stack:
        warehouse = Warehouse(
            {name: stack.enter_context(temporary_database(name)) for name in demo_sources.SOURCES},
            stack.enter_context(temporary_database("warehouse")),
            tmp_path_factory.mktemp("figures"),
        )
        for day in range(DAYS):
            warehouse.live(day)
        yield warehouse


@pytest.mark.parametrize("day", range(DAYS))
@pytest.mark.parametrize(
    ("source", "question"),
    [(source, question) for source, questions in QUESTIONS.items() for question in questions],
)
def test_the_warehouse_says_what_the_source_says(
    warehouse: Warehouse, source: str, question: str, day: int
) -> None:
    in_warehouse, in_source = warehouse.answers[day, source, question]
    assert in_warehouse == in_source
    assert in_source, "the question has no answer, so it compares nothing"


@pytest.mark.parametrize(
    ("source", "question"),
    [(source, question) for source, questions in METRICS.items() for question in questions],
)
def test_a_metric_says_what_the_source_says(
    warehouse: Warehouse, source: str, question: str, tmp_path: Path
) -> None:
    asked = METRICS[source][question]
    in_source = warehouse.sources[source].query(asked["source"])
    assert warehouse.ask_metrics(asked["metrics"], tmp_path) == [
        [_text(value) for value in row] for row in in_source
    ]
    assert in_source, "the question has no answer, so it compares nothing"


@pytest.fixture(scope="module")
def analyses(warehouse: Warehouse) -> Path:
    """The folder where dbt has compiled the analyses for this warehouse."""
    compiled = dbt("compile", "-s", "path:analyses", env=warehouse.env)
    assert compiled.returncode == 0, compiled.stdout
    return warehouse.target / "compiled" / "medallion" / "analyses"


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_has_an_answer(warehouse: Warehouse, analyses: Path, name: str) -> None:
    assert warehouse.database.query((analyses / f"{name}.sql").read_text())


def test_the_database_refuses_nulls_where_gold_says_so(
    warehouse: Warehouse, manifest: dict[str, Any]
) -> None:
    promised = {
        (node["name"], column["name"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "gold"
        for column in node["columns"].values()
        if "not_null" in {constraint["type"] for constraint in column["constraints"]}
    }
    refused = warehouse.database.query(
        "select c.relname, a.attname from pg_attribute as a "
        "inner join pg_class as c on c.oid = a.attrelid "
        "where a.attnotnull and c.relnamespace = 'dev_test_gold'::regnamespace"
    )
    assert promised
    assert promised - set(refused) == set()


@contextmanager
def damaged(warehouse: Warehouse, statements: str) -> Iterator[dict[str, str]]:
    """A copy of the warehouse in which something is changed; the environment to run dbt in it."""
    with temporary_database("warehouse", template=warehouse.database.name) as copy:
        copy.execute(copy.in_dev(statements))
        yield {**warehouse.env, "MEDALLION_PGDATABASE": copy.name}


def failed(warehouse: Warehouse) -> set[str]:
    """The tests that failed in the last run of dbt."""
    results = json.loads((warehouse.target / "run_results.json").read_text())["results"]
    return {node["unique_id"].split(".")[2] for node in results if node["status"] == "fail"}


def test_what_hangs_on_deleted_rows_keeps_no_build_up(warehouse: Warehouse) -> None:
    """Tables are read one after the other, so code may have landed that went with its run."""
    gone = (
        "set _deleted_at = now(), _batch_id = 1 + (select max(batch_id) from ops.extract_batches)"
    )
    statements = (
        f"update bronze.br_miyabi__agent_runs {gone} where run_id = (select max(run_id) "
        "from gold.fact_code_generation where is_accepted);"
        f"update bronze.br_miyabi__deployments {gone} where deployment_id = "
        "(select max(deployment_id) from gold.fact_deployment where incidents > 0)"
    )
    facts = "fact_agent_execution+", "fact_code_generation+", "fact_deployment+"
    with damaged(warehouse, statements) as env:
        built = dbt("build", "-s", *facts, "--exclude-resource-type", "unit_test", env=env)
        assert built.returncode == 0, built.stdout


def test_miyabi_s_tests_see_what_is_missing_and_what_is_stale(warehouse: Warehouse) -> None:
    statements = (
        "delete from gold.mart_agent_performance where period_type = 'month';"
        "delete from gold.mart_development_performance where service_name = 'overall';"
        # as if a price and a status had come into the seeds since
        "update gold.fact_agent_execution set cost_usd = null, is_cost_estimated = false "
        "where is_cost_estimated;"
        "update gold.fact_deployment set is_change = false, is_failed_change = false, "
        "hours_to_restore = null where not is_production and is_failed_change"
    )
    wrong = {
        "agent_performance_adds_up_to_the_facts",
        "development_performance_adds_up_to_the_deployments",
        "fact_agent_execution_equals_silver",
        "fact_deployment_equals_silver",
    }
    with damaged(warehouse, statements) as env:
        dbt("test", "-s", "tests/miyabi", env=env)
        assert failed(warehouse) == wrong


def test_only_known_facts_are_warned_of(warehouse: Warehouse) -> None:
    assert warehouse.warned == [KNOWN_WARNINGS] * 2


def test_every_demo_source_is_asked() -> None:
    assert set(QUESTIONS) == set(demo_sources.SOURCES)
