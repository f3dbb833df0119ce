"""A copy of the project that a test may change, with the models of one domain, and its git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import yaml

import warm
from common.project import ROOT
from databases import Database

_WHOLE = ("macros", "scripts", "seeds", "snapshots", "tests", "models")
PARSED = "partial_parse.msgpack"
_FILES = ("dbt_project.yml", "profiles.yml", "packages.yml", "Makefile", "requirements.lock")


@dataclass
class ProjectCopy:
    """The files in a folder of their own, and the environment in which their commands run."""

    folder: Path
    env: dict[str, str]

    @classmethod
    def of(cls, folder: Path, domain: str, env: Mapping[str, str]) -> ProjectCopy:
        """Copies what the domain's models need; commits it."""
        for name in _WHOLE:
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in _FILES:
            shutil.copy(ROOT / name, folder / name)
        shutil.rmtree(folder / "tests" / "python")
        for parent in ("models/bronze", "models/silver", "models/gold", "tests", "seeds"):
            for child in (folder / parent).iterdir():
                if child.is_dir() and child.name not in (domain, "core", "generic"):
                    shutil.rmtree(child)
        snapshots = folder / "snapshots" / "_snapshots.yml"
        models = {path.stem for path in (folder / "models").rglob("*.sql")}
        declared = yaml.safe_load(snapshots.read_text())
        declared["snapshots"] = [
            one for one in declared["snapshots"] if one["relation"].split("'")[1] in models
        ]
        snapshots.write_text(yaml.safe_dump(declared, sort_keys=False))
        (folder / ".venv").symlink_to(ROOT / ".venv", target_is_directory=True)
        (folder / ".gitignore").write_text(".venv\ntarget\nlogs\n__pycache__\n")
        copy = cls(folder, {**env, "DBT_TARGET_PATH": str(folder / "target"),
                            "DBT_LOG_PATH": str(folder / "logs")})  # fmt: skip
        copy.git("init", "-q", "-b", "main")
        copy.git("config", "user.email", "test@example.org")
        copy.git("config", "user.name", "test")
        copy.commit()
        return copy

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self) -> str:
        """Commits all that changed; returns the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "test: a change")
        return self.git("rev-parse", "HEAD")

    def replace(self, file: str, old: str, new: str) -> None:
        """Changes a file."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new))

    def drop_model(self, name: str) -> None:
        """Takes a model out of the project, and all that is declared about it."""
        for file in (self.folder / "models").rglob("*.yml"):
            text = file.read_text()
            if name not in text:
                continue
            declared = yaml.safe_load(text)
            reads = re.compile(rf"ref\('{name}'\)")
            for key, entries in declared.items():
                if key == "exposures":
                    for entry in entries:
                        kept = [one for one in entry["depends_on"] if not reads.search(one)]
                        entry["depends_on"] = kept
                elif isinstance(entries, list):
                    declared[key] = [
                        one
                        for one in entries
                        if one.get("name") != name
                        and one.get("model") not in (name, f"ref('{name}')")
                    ]
            file.write_text(yaml.safe_dump(declared, sort_keys=False))
        for file in (self.folder / "models").rglob(f"{name}.sql"):
            file.unlink()
        for file in (self.folder / "tests").rglob("*.sql"):
            if name in file.read_text():
                file.unlink()
        for file in (self.folder / "tests").rglob("*.yml"):
            declared = yaml.safe_load(file.read_text())
            names = {path.stem for path in (self.folder / "tests").rglob("*.sql")}
            if "data_tests" in declared:
                declared["data_tests"] = [
                    one for one in declared["data_tests"] if one["name"] in names
                ]
                file.write_text(yaml.safe_dump(declared, sort_keys=False))

    def run(self, *command: str, fails: bool = False, **env: str) -> str:
        """Runs a command of the project's; returns all that it says."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._env(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return _said(done, fails)

    def script(self, name: str, *arguments: str, fails: bool = False, **env: str) -> str:
        """Runs a program of scripts/."""
        return self._warm(self.folder / "scripts" / name, arguments, fails, env)

    def dbt(self, *arguments: str, fails: bool = False, **env: str) -> str:
        """Runs dbt."""
        return self._warm(self.folder / ".venv" / "bin" / "dbt", arguments, fails, env)

    def _warm(
        self, program: Path, arguments: Sequence[str], fails: bool, env: Mapping[str, str]
    ) -> str:
        other = "-".join(["prod", *env.values()]) if "prod" in arguments else None
        with self._parsed_for(other) if other else nullcontext():
            return _said(warm.run(program, arguments, self._env(env), self.folder), fails)

    @contextmanager
    def _parsed_for(self, connection: str) -> Iterator[None]:
        """Lays what dbt has parsed for another connection where it looks for it, for one program.

        dbt keeps it for one, and a turn to prod and back would parse everything anew, twice.
        """
        target = self.folder / "target"
        parsed, before = target / PARSED, target / f"before.{PARSED}"
        kept = target / f"{connection}.{PARSED}"
        _move(parsed, before)
        _move(kept, parsed)
        try:
            yield
        finally:
            _move(parsed, kept)
            _move(before, parsed)

    def _env(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **self.env, **more}

    def deploy(self, *arguments: str, fails: bool = False, **env: str) -> str:
        """Does what deploy.sh does, without a question."""
        return self.script("deploy.py", *arguments, "--yes", fails=fails, **env)


def _move(file: Path, to: Path) -> None:
    if file.exists():
        file.replace(to)


def _said(done: subprocess.CompletedProcess[str], fails: bool) -> str:
    said = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, said
    return said


def environments(staging: Database, prod: Database) -> dict[str, str]:
    """The variables of staging and prod, of databases of the test server."""
    found: dict[str, str] = {}
    for name, database in (("STAGING", staging), ("PROD", prod)):
        found |= {
            f"{name}_PGHOST": database.env["MEDALLION_PGHOST"],
            f"{name}_PGUSER": "postgres",
            f"{name}_PGDATABASE": database.name,
            f"{name}_PGSSLMODE": "disable",
            f"DBT_ENV_SECRET_{name}_PGPASSWORD": "not-asked-for",
        }
    return found
