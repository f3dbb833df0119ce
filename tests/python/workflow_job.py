"""Runs the jobs of a workflow here: its own commands, in order, in a clean clone.

A step has the environment that its job declares, and nothing else of the machine's. Variables and
secrets come from a table, services are the local server, actions do what they would.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from common.embedded_postgres import Cluster
from common.project import ROOT
from workflow_expressions import condition, fill_in

WORKFLOWS = ROOT / ".github" / "workflows"
# Suites of their own: that they can be called is what is looked at here.
SUITES = (".ci/run", "make lint", "make test-python", "make test-sqlserver")
# A real runner's GITHUB_ENV takes names and values; some names not even it would.
_VARIABLE = re.compile(r"([A-Z_]+)=(.*)")


@dataclass
class Done:
    """How a job ended; `said` is what its steps printed, by their commands."""

    succeeded: bool = True
    said: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def all_said(self) -> str:
        return "\n".join(self.said.values())


@dataclass
class Runner:
    """A repository with its variables and secrets; artifacts and clones are in `folder`."""

    repository: Path
    folder: Path
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    api: str = ""
    clones: list[Path] = field(default_factory=list)

    def run(
        self,
        workflow: str,
        job: str,
        *,
        commit: str,
        github: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        matrix: Mapping[str, str] | None = None,
    ) -> Done:
        """A job from its first step to its last, by a clone of its own; skips what its `if:` says.

        Raises AssertionError if the job would not run at all.
        """
        declared = yaml.safe_load((WORKFLOWS / f"{workflow}.yml").read_text())["jobs"][job]
        contexts = {
            "github": {
                "sha": commit, "repository": "team/medallion", "run_id": 1, "run_attempt": 1,
                "token": "a-token", "ref": "refs/heads/main", "event": {}, **(github or {}),
            },
            "inputs": inputs or {}, "matrix": matrix or {},
            "vars": self.variables, "secrets": self.secrets, "needs": {},
        }  # fmt: skip
        run = _Run(self, declared, contexts)
        if "if" in declared:
            assert condition(declared["if"], contexts, run.functions), f"{job} would not run"
        return run.to_the_end()

    def clone(self, into: Path, commit: str) -> None:
        """A clean clone at a commit."""
        subprocess.run(["git", "clone", "-q", self.repository, into], check=True)
        subprocess.run(["git", "checkout", "-q", "--detach", commit], cwd=into, check=True)
        self.clones.append(into)

    def remove(self) -> None:
        """Ends the servers that steps have started."""
        for clone in self.clones:
            Cluster.of_clone(clone).remove()


class _Run:
    def __init__(self, runner: Runner, job: Mapping[str, Any], contexts: dict[str, Any]) -> None:
        self.runner, self.job, self.contexts = runner, job, contexts
        self.done = Done()
        number = len(runner.clones)
        self.workspace = runner.folder / f"job{number}" / "work"
        self.files = {
            name: self.workspace.parent / name.lower()
            for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        self.functions: dict[str, Callable[..., Any]] = {
            "always": lambda: True,
            "cancelled": lambda: False,
            "failure": lambda: not self.done.succeeded,
            "success": lambda: self.done.succeeded,
        }

    def to_the_end(self) -> Done:
        self.workspace.parent.mkdir(parents=True)
        for file in self.files.values():
            file.touch()
        for step in self.job["steps"]:
            asked = str(step.get("if", "success()"))
            # Without one of these, what comes after a failure is skipped.
            if not re.search(r"\b(always|cancelled|failure|success)\(", asked):
                asked = f"success() && ({asked})"
            if not condition(asked, self.contexts, self.functions):
                continue
            if "uses" in step:
                self._act(step["uses"].partition("@")[0], self._filled(step.get("with", {})))
            else:
                self._command(step)
        self.done.summary = self.files["GITHUB_STEP_SUMMARY"].read_text()
        return self.done

    def _filled(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {name: fill_in(str(value), self.contexts) for name, value in values.items()}

    def _act(self, action: str, given: Mapping[str, str]) -> None:
        artifacts = self.runner.folder / "artifacts"
        if action == "actions/checkout":
            into = self.workspace / given.get("path", "")
            self.runner.clone(into, given.get("ref", self.contexts["github"]["sha"]))
            if "path" not in given:
                _install(into)
        elif action == "actions/upload-artifact":
            found = [path for path in map(self._inside, given["path"].split()) if path.exists()]
            assert found or given.get("if-no-files-found") == "ignore", given
            for path in found:
                into = artifacts / given["name"]
                if path.is_dir():
                    shutil.copytree(path, into, dirs_exist_ok=True)
                else:
                    into.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, into)
        elif action == "actions/download-artifact":
            for one in artifacts.glob(given["pattern"]):
                shutil.copytree(one, self._inside(given["path"]) / one.name)
        else:
            assert action == "actions/setup-python", f"{action} is not known here"

    def _inside(self, path: str) -> Path:
        return self.workspace / path

    def _command(self, step: Mapping[str, Any]) -> None:
        command = step["run"].strip()
        if command in SUITES:
            parts = command.split()
            if parts[0] == "make":
                subprocess.run(
                    ["make", "-n", *parts[1:]], cwd=ROOT, check=True, capture_output=True
                )
            else:
                assert os.access(ROOT / parts[0], os.X_OK), command
            self.done.said[command] = ""
            return
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=self.workspace,
            env=self._env(step),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.done.said[command] = self.done.said.get(command, "") + done.stdout
        assert done.returncode not in (126, 127), f"{command} isn't there: {done.stdout}"
        if done.returncode:
            self.done.succeeded = False

    def _env(self, step: Mapping[str, Any]) -> dict[str, str]:
        github = self.contexts["github"]
        later = _VARIABLE.findall(self.files["GITHUB_ENV"].read_text())
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "USER": "runner",
            "CI": "true",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.runner.api,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": github["repository"],
            "GITHUB_RUN_ID": str(github["run_id"]),
            "GITHUB_SHA": github["sha"],
            "GITHUB_ACTOR": "ada",
            **{name: str(path) for name, path in self.files.items()},
            **dict(later),
            **self._filled(self.job.get("env", {})),
            **self._filled(step.get("env", {})),
        }


def _install(clone: Path) -> None:
    """A virtual environment of the clone's own, with the packages of the one that is here.

    `make install` then finds all that the lock names, and does the rest of its work.
    """
    home = clone / ".venv"
    venv.create(home, symlinks=True)
    here, packages = Path(sys.executable).parent, sysconfig.get_path("purelib")
    (own,) = home.glob("lib/python*/site-packages")
    # Read after medallion.pth, which knows this clone's own server.
    (own / "packages.pth").write_text(f"import site; site.addsitedir({packages!r})\n")
    program = (here / "dbt").read_text()
    (home / "bin" / "dbt").write_text(program.replace(str(here), str(home / "bin"), 1))
    (home / "bin" / "dbt").chmod(0o755)
    lock = clone / "requirements.lock"
    marker = {"path": str(home), lock.name: hashlib.sha256(lock.read_bytes()).hexdigest()}
    (home / "medallion.json").write_text(json.dumps(marker))
