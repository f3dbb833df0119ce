"""What dbt knows: the manifest, and the connection of a target; and dbt's commands on it."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import psycopg2.extensions
import yaml

from common.project import ROOT


class DbtProjectError(RuntimeError):
    """dbt could not read the project or the profile; the message is dbt's own."""


@cache
def manifest(target: str | None = None) -> Any:  # noqa: ANN401  # dbt's own Manifest
    """Parses the project (only what changed since last time), once, and returns dbt's Manifest.

    Raises DbtProjectError with dbt's own message if the project does not parse.
    """
    # Whatever dbt runs on it writes manifest.json, which takes as long as to read what it parsed.
    arguments = ["--quiet", "--no-write-json", "parse", *_project_arguments(target)]
    result = _invoke(None, arguments)
    if not result.success:
        raise DbtProjectError(str(result.exception or "dbt parse failed: run `dbt parse`"))
    result.result.build_parent_and_child_maps()  # as to write it does
    return result.result


def variables() -> dict[str, Any]:
    """The vars of the project, as JSON has them."""
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    found = project.get("vars") or {}
    own = {**found, **(found.get(project["name"]) or {})}  # what is for this project alone wins
    return dict(json.loads(json.dumps(own, default=str)))


def invoke(manifest: Any, *arguments: str, target: str | None = None) -> bool:  # noqa: ANN401
    """Runs a dbt command on a manifest that was parsed before; whether all of it succeeded.

    A command alone takes seconds to start, to read the project and to write what it read.
    """
    return bool(run(manifest, *arguments, target=target).success)


def run(manifest: Any, *arguments: str, target: str | None = None) -> Any:  # noqa: ANN401
    """Runs a dbt command as `invoke` does; returns dbt's own dbtRunnerResult."""
    result = _invoke(manifest, [*arguments, *_project_arguments(target)])
    if result.exception:
        raise DbtProjectError(str(result.exception))
    return result


def ask(manifest: Any, *arguments: str, target: str | None = None) -> list[str]:  # noqa: ANN401
    """What `dbt ls` finds on a manifest that was parsed before: a JSON object with its unique_id
    for each node, printed nowhere.
    """
    output = ["--log-level", "none", "ls", "--output", "json", "--output-keys", "unique_id"]
    result = _invoke(manifest, [*output, *arguments, *_project_arguments(target)])
    if not result.success:
        raise DbtProjectError(str(result.exception or "dbt ls failed"))
    return list(result.result or [])


def _invoke(manifest: Any, arguments: list[str]) -> Any:  # noqa: ANN401
    """Dbt's own dbtRunnerResult; Ctrl-C is no error of dbt's."""
    from dbt.cli.main import dbtRunner

    result = dbtRunner(manifest=manifest).invoke(arguments)
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    return result


def warehouse_credentials(target: str | None = None) -> Any:  # noqa: ANN401  # dbt's Credentials
    """The connection of a target as dbt reads it from profiles.yml; `.type` is the engine.

    Raises DbtProjectError if the target or one of its variables is missing.
    """
    return _profile(target).credentials


def warehouse_url(target: str | None = None) -> str:
    """The connection string of a target, for extraction: libpq's, or a URL of SQL Server.

    Raises DbtProjectError as `warehouse_credentials` does, and for a way to log in that only dbt
    knows.
    """
    credentials = warehouse_credentials(target)
    if credentials.type == "sqlserver":
        return _sqlserver_url(credentials)
    return str(
        psycopg2.extensions.make_dsn(
            host=credentials.host,
            port=credentials.port,
            user=credentials.user,
            password=credentials.password,
            dbname=credentials.database,
            sslmode=credentials.sslmode,
            sslrootcert=credentials.sslrootcert,
            sslcert=credentials.sslcert,
            sslkey=credentials.sslkey,
        )
    )


def _sqlserver_url(credentials: Any) -> str:  # noqa: ANN401  # dbt's SQLServerCredentials
    user, password = credentials.UID, credentials.PWD
    options = {
        "Driver": credentials.driver,
        "Encrypt": "yes" if credentials.encrypt else "no",
        "TrustServerCertificate": "yes" if credentials.trust_cert else "no",
    }
    way = str(credentials.authentication).lower()
    if credentials.windows_login:
        user, password, options["Trusted_Connection"] = None, None, "yes"
    elif way in ("serviceprincipal", "activedirectoryserviceprincipal"):
        user, password = credentials.client_id, credentials.client_secret
        options["Authentication"] = "ActiveDirectoryServicePrincipal"
    elif way in ("activedirectorypassword", "activedirectorymsi"):
        options["Authentication"] = credentials.authentication
    elif way != "sql":
        raise DbtProjectError(
            f"authentication: {credentials.authentication} is known to dbt alone. Extraction logs "
            "in by `sql`, `ServicePrincipal`, `ActiveDirectoryPassword`, `ActiveDirectoryMsi` or "
            "`windows_login: true`."
        )
    login = ":".join(quote(part, safe="") for part in (user, password) if part)
    return (
        f"sqlserver://{f'{login}@' if login else ''}{credentials.host}:{credentials.port}/"
        f"{quote(credentials.database, safe='')}?{urlencode(options, quote_via=quote)}"
    )


def target_name(target: str | None = None) -> str:
    """The target that dbt uses: the one asked for, or the profile's default."""
    return str(_profile(target).target_name)


def _profile(target: str | None) -> Any:  # noqa: ANN401
    from dbt.config.runtime import load_profile
    from dbt.flags import set_from_args
    from dbt_common.context import set_invocation_context
    from dbt_common.exceptions import DbtBaseException

    set_invocation_context(os.environ)
    set_from_args(Namespace(PROFILES_DIR=_profiles_dir(), PROJECT_DIR=str(ROOT)), None)
    try:
        return load_profile(str(ROOT), {}, None, target)
    except DbtBaseException as error:
        raise DbtProjectError(f"{error}\n{more_by_doctor(target)}") from None


def more_by_doctor(target: str | None) -> str:
    """Where to look, whose set-up is wrong."""
    on_target = f" --target {target}" if target else ""
    return f"`.venv/bin/python scripts/doctor.py{on_target}` says more."


def _profiles_dir() -> str:
    return os.environ.get("DBT_PROFILES_DIR", str(ROOT))


def _project_arguments(target: str | None) -> list[str]:
    arguments = ["--project-dir", str(ROOT), "--profiles-dir", _profiles_dir()]
    return [*arguments, "--target", target] if target else arguments
