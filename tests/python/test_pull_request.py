"""What a pull request is told of its slim build, whatever became of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import ci_schemas
import pr_comment
import refresh
import slim_build
from pull_request import slim
from pull_request.comment import comment
from pull_request.slim import Slim

BUILT = Slim(
    target="ci_sqlserver",
    base="0123456789abcdef",
    whole="",
    models=(("model.medallion.dim_a", "pr_1_gold.dim_a", "changed"),),
    removed=("dim_b",),
    failed=(),
    seconds=12.3,
)


def test_a_build_that_did_not_begin_is_no_success(tmp_path: Path) -> None:
    assert comment(tmp_path).startswith("### Slim build: it did not begin")


def test_the_verdict_is_the_first_line(tmp_path: Path) -> None:
    BUILT.write(tmp_path)
    lines = comment(tmp_path).splitlines()
    assert lines[0] == "### ✅ Slim build on SQL Server: passed"
    assert lines[2].startswith("Upon the base `01234567`: 1 built")
    assert "- `pr_1_gold.dim_a`: `changed`" in lines
    assert "- `dim_b`: removed" in lines
    replace(BUILT, failed=("make it",)).write(tmp_path)
    lines = comment(tmp_path).splitlines()
    assert lines[0] == "### ❌ Slim build on SQL Server: failed"
    assert "- failed: `make it`" in lines
    replace(BUILT, models=(), removed=()).write(tmp_path)
    assert "nothing to build" in comment(tmp_path).splitlines()[0]


def test_a_whole_build_says_why(tmp_path: Path) -> None:
    replace(BUILT, base="", whole="the base can't be built").write(tmp_path)
    text = comment(tmp_path)
    assert (
        "Everything was built, because `the base can't be built`. So nothing is compared." in text
    )


def test_names_that_others_choose_mean_nothing_in_markdown(tmp_path: Path) -> None:
    evil = ("model.medallion.x", "gold.<img src=x>`@team`|", "[a](http://b)")
    replace(BUILT, models=(evil,)).write(tmp_path)
    text = comment(tmp_path)
    assert "`gold.<img src=x>\ufffd@team\ufffd\ufffd`" in text
    assert "`[a](http://b)`" in text


def test_two_comments_fit_into_one_of_githubs(tmp_path: Path) -> None:
    many = tuple((f"model.medallion.{n}", f"gold.model_{n}", "changed") for n in range(3000))
    replace(BUILT, models=many).write(tmp_path)
    text = comment(tmp_path)
    assert 2 * len(text) < 65_000
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("The rest is in the job's artifacts.\n")


def test_what_was_composed_can_be_posted_only_by_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    post = ["post", str(tmp_path), "--number", "7"]
    said = CliRunner().invoke(pr_comment.cli, post)
    assert said.exit_code == 1
    assert "`compose` writes it" in said.output
    BUILT.write(tmp_path)
    assert CliRunner().invoke(pr_comment.cli, ["compose", str(tmp_path)]).exit_code == 0
    assert (tmp_path / slim.COMMENT).exists()
    said = CliRunner().invoke(pr_comment.cli, post)
    assert said.exit_code == 1
    assert "GITHUB_TOKEN" in said.output


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_schemas_are_dropped_and_slim_builds_made_on_ci_only(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STAGING", "PROD"):
        for part in ("PGHOST", "PGUSER", "PGDATABASE"):
            monkeypatch.setenv(f"{name}_{part}", "nowhere.invalid")
        monkeypatch.setenv(f"DBT_ENV_SECRET_{name}_PGPASSWORD", "x")
    monkeypatch.setenv("MEDALLION_TARGET", target)
    said = CliRunner().invoke(ci_schemas.cli, ["drop", "--number", "7"])
    assert said.exit_code == 1
    assert "on ci only" in said.output
    said = CliRunner().invoke(slim_build.cli, ["changes"])
    assert said.exit_code == 1
    assert "set MEDALLION_TARGET to ci" in said.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--event-time-start", "2026-06-01"], "go together"),
        (["--event-time-end", "2026-06-01", "--select", "a"], "go together"),
        (["--event-time-start", "2026-06-01", "--event-time-end", "2026-06-02"], "go together"),
        (["--event-time-start", "2026-06-02", "--event-time-end", "2026-06-02", "--select", "a"],
         "must be after"),
        (["--event-time-start", "June", "--event-time-end", "2026-06-02", "--select", "a"],
         "does not match the formats"),
    ],
)  # fmt: skip
def test_a_backfill_is_bounded_and_selected(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(refresh.cli, arguments)
    assert done.exit_code == 2
    assert said in done.output
