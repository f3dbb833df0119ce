"""The main job on real databases: gold says what the source says.

The dumps lie beside the project where they are at hand; nothing of them is part of it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import dbt, script
from common.embedded_postgres import binaries
from common.project import ROOT
from databases import Database, temporary_database

DATA = ROOT.parent / "shared" / "data"
DUMPS = {
    "pagila": ["pagila/pagila-schema.sql", "pagila/pagila-data.sql"],
    "film_catalog": ["film_catalog/init.sql"],
}

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the dumps of real databases are not beside the project"
)

# What the real Pagila does not keep to; each test documents the reason.
KNOWN_WARNINGS = {
    "managers_work_in_their_store",
    "payments_are_made_by_the_customer_who_rents",
    "payments_are_not_before_their_rental",
}


@dataclass
class Job:
    """The sources, the warehouse, and the way to run the main job on them."""

    pagila: Database
    film_catalog: Database
    warehouse: Database
    target: Path

    @property
    def env(self) -> dict[str, str]:
        return {
            **self.warehouse.env,
            "PAGILA_URL": self.pagila.url,
            "FILM_CATALOG_URL": self.film_catalog.url,
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.target),
        }

    def run(self, *build: str) -> None:
        extracted = script("extract.py", *(f"--source={name}" for name in DUMPS), env=self.env)
        assert extracted.returncode == 0, extracted.stderr
        built = dbt(
            *("build", "-s", *(f"@source:{name}" for name in DUMPS)),
            # dim_date is read by domains too that are not here
            *("--indirect-selection", "buildable", *build),
            env=self.env,
        )
        assert built.returncode == 0, built.stdout

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.warehouse.query(self.warehouse.in_dev(query))

    def damage(self, statement: str) -> None:
        self.warehouse.execute(self.warehouse.in_dev(statement))


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with ExitStack() as stack:
        databases = {
            name: stack.enter_context(temporary_database(name)) for name in (*DUMPS, "warehouse")
        }
        for name, files in DUMPS.items():
            for file in files:
                subprocess.run(
                    [
                        *(binaries() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"),
                        *("-d", databases[name].url, "-f", DATA / file),
                    ],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
        job = Job(**databases, target=tmp_path_factory.mktemp("real"))
        job.run()
        yield job


def test_every_test_passes_or_tells_a_known_fact(job: Job) -> None:
    results = json.loads((job.target / "run_results.json").read_text())["results"]
    bad = {r["unique_id"].split(".")[2]: r["status"] for r in results if r["status"] == "warn"}
    assert set(bad) == KNOWN_WARNINGS
    assert {r["status"] for r in results} <= {"success", "pass", "warn", "no-op"}


def test_sources_are_fresh(job: Job) -> None:
    done = dbt("source", "freshness", "-s", *(f"source:{name}" for name in DUMPS), env=job.env)
    assert done.returncode == 0, done.stdout


FIGURES = {
    name: yaml.safe_load(
        (Path(__file__).parent / "fixtures" / "figures" / f"{name}.yml").read_text()
    )["questions"]
    for name in DUMPS
}


@pytest.mark.parametrize(
    ("source", "question"),
    [(source, question) for source, questions in FIGURES.items() for question in questions],
)
def test_gold_says_what_the_source_says(job: Job, source: str, question: str) -> None:
    asked = FIGURES[source][question]
    assert job.ask(asked["warehouse"]) == getattr(job, source).query(asked["source"])


def test_the_next_day_changes_gold_as_it_changed_the_source(job: Job) -> None:
    job.pagila.execute(
        "update rental set return_date = now() where return_date is null;"
        "delete from payment where payment_id % 100 = 0;"
        "insert into rental (rental_date, inventory_id, customer_id, staff_id) "
        "values (now() - interval '1 hour', 1, 1, 1);"
        "insert into payment (customer_id, staff_id, rental_id, amount, payment_date) "
        "select 1, 1, max(rental_id), 9.99, '2022-07-30' from rental;"
        "delete from payment where rental_id = 100; delete from rental where rental_id = 100;"
        # told half a year late, far behind the cursor
        "insert into payment (customer_id, staff_id, rental_id, amount, payment_date) "
        "values (1, 1, 2, 5.55, '2022-02-10');"
        "update payment set payment_date = payment_date - interval '40 days', amount = 0.07 "
        "where payment_id = (select max(payment_id) from payment where rental_id = 3);"
        "update film set rental_duration = 1 where film_id = 1;"
        "delete from film_category where film_id = 1 "
        "and category_id = (select min(category_id) from film_category where film_id = 1);"
        # no store has a copy of it
        "delete from film_actor where film_id = 14; delete from film_category where film_id = 14;"
        "delete from film where film_id = 14;"
        "update inventory set film_id = 2 where inventory_id = 9;"
        "update customer set email = 'moved@example.org' where customer_id = 7"
    )
    job.run("--resource-type", "model", "--resource-type", "snapshot")
    for question, asked in FIGURES["pagila"].items():
        assert job.ask(asked["warehouse"]) == job.pagila.query(asked["source"]), question


# What each fact is, in full, and the moment of its event.
FACTS = {"fact_rental": "rented_at", "fact_payment": "paid_at"}


def test_a_backfill_repairs_the_rows_of_its_window_and_no_others(job: Job) -> None:
    def content() -> dict[str, list[tuple[Any, ...]]]:
        # But for the batches: a row keeps those by which it came to say what it says.
        return {
            fact: job.ask(
                "select (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(fact)) "
                f"where key not like '%batch_id') from gold.{fact} as fact order by 1"
            )
            for fact in FACTS
        }

    def damaged_days(fact: str, event_at: str) -> list[str]:
        days = job.ask(
            f"select distinct {event_at}::date::text from gold.{fact} "
            "where staff_id = -1 order by 1"
        )
        return [day for (day,) in days]

    whole = content()
    for fact, event_at in FACTS.items():
        job.damage(
            f"update gold.{fact} set staff_id = -1 "
            f"where {event_at} >= '2022-07-07' and {event_at} < '2022-07-11';"
            f"delete from gold.{fact} where {event_at}::date = '2022-07-08' and film_id % 5 = 0"
        )
        assert len(damaged_days(fact, event_at)) == 4
    backfill(job, "2022-07-08", "2022-07-10")
    for fact, event_at in FACTS.items():
        assert damaged_days(fact, event_at) == ["2022-07-07", "2022-07-10"]
        assert len(job.ask(f"select from gold.{fact}")) == len(whole[fact])
    backfill(job, "2022-07-07", "2022-07-11")
    assert content() == whole


def backfill(job: Job, start: str, end: str) -> None:
    done = dbt(
        *("run", "-s", *FACTS, "--event-time-start", start, "--event-time-end", end), env=job.env
    )
    assert done.returncode == 0, done.stdout


def test_gold_and_the_tests_build_without_reading_rows(job: Job) -> None:
    """`--empty` makes a subquery of each relation, which not every place takes."""
    with temporary_database("empty", template=job.warehouse.name) as copy:
        done = dbt(
            *("build", "--empty", "-s", "tests/pagila", "tests/film_catalog"),
            *("tag:gold,group:rental", "tag:gold,group:catalog", "dim_date"),
            *("--indirect-selection", "buildable", "--exclude-resource-type", "unit_test"),
            env={**job.env, "MEDALLION_PGDATABASE": copy.name},
        )
        assert done.returncode == 0, done.stdout


def test_the_documentation_is_generated(job: Job) -> None:
    done = dbt("docs", "generate", env=job.env)
    assert done.returncode == 0, done.stdout
    catalog = json.loads((job.target / "catalog.json").read_text())
    manifest = json.loads((job.target / "manifest.json").read_text())
    built = {
        unique_id
        for unique_id, node in {**manifest["nodes"], **manifest["sources"]}.items()
        if node["resource_type"] in {"model", "snapshot", "source"}
        and (set(node["fqn"]) & {*DUMPS, "core"} or node["config"].get("group") == "rental")
    }
    assert built <= {*catalog["nodes"], *catalog["sources"]}


def test_bronze_keeps_its_history_when_it_is_built_anew(job: Job) -> None:
    bronze = "select * from dev_test_bronze.br_pagila__rental order by rental_id"
    history = job.warehouse.query(bronze)
    landing = "landing_pagila.rental"
    job.warehouse.execute(
        f"delete from {landing} where _batch_id < (select max(_batch_id) from {landing})"
    )
    assert 0 < job.warehouse.scalar(f"select count(*) from {landing}") < len(history)
    done = dbt("run", "--full-refresh", "-s", "br_pagila__rental", env=job.env)
    assert done.returncode == 0, done.stdout
    assert job.warehouse.query(bronze) == history
