"""The targets on SQL Server: each way to log in becomes the connection that it should."""

from __future__ import annotations

import re

import pytest
from dbt.adapters.sqlserver.sqlserver_auth import uses_aad_token_authentication
from dbt.adapters.sqlserver.sqlserver_backend import build_pyodbc_connection_string
from dbt.adapters.sqlserver.sqlserver_helpers import (
    validate_connection_requirements,
    validate_pyodbc_requirements,
)

from common.dbt_project import DbtProjectError, warehouse_credentials

ENVIRONMENTS = ["STAGING", "PROD"]
SECRET = "sw0rd;}f!sh"  # noqa: S105
SQL = {"USER": "etl", "PASSWORD": SECRET}
PRINCIPAL = {"TENANT_ID": "tenant", "CLIENT_ID": "client", "CLIENT_SECRET": SECRET}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for environment in ENVIRONMENTS:
        for name in ("USER", "PASSWORD", "AUTHENTICATION", *PRINCIPAL):
            monkeypatch.delenv(f"{environment}_MSSQL_{name}", raising=False)
            monkeypatch.delenv(f"DBT_ENV_SECRET_{environment}_MSSQL_{name}", raising=False)


def connection(
    monkeypatch: pytest.MonkeyPatch, environment: str, settings: dict[str, str]
) -> tuple[dict[str, str], bool]:
    """What the driver is told, and whether dbt asks Entra ID for a token itself."""
    settings = {"SERVER": "db.example.com", "DATABASE": "dwh", **settings}
    for name, value in settings.items():
        is_secret = name in ("PASSWORD", "CLIENT_SECRET")
        prefix = "DBT_ENV_SECRET_" if is_secret else ""
        monkeypatch.setenv(f"{prefix}{environment}_MSSQL_{name}", value)
    credentials = warehouse_credentials(f"{environment.lower()}_sqlserver")
    validate_connection_requirements(credentials)
    validate_pyodbc_requirements(credentials)
    text = build_pyodbc_connection_string(credentials)
    told = {
        name.lower(): value.removeprefix("{").removesuffix("}").replace("}}", "}")
        for name, value in re.findall(r"(\w+)=(\{(?:[^}]|\}\})*\}|[^;]*)", text)
    }
    return told, uses_aad_token_authentication(credentials)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_by_default_a_user_logs_in_encrypted_to_a_certificate_that_is_trusted(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    told, _ = connection(monkeypatch, environment, SQL)
    assert told["server"] == "db.example.com,1433"
    assert told["database"] == "dwh"
    assert (told["uid"], told["pwd"]) == ("etl", SECRET)
    assert (told["encrypt"], told["trustservercertificate"]) == ("Yes", "No")
    assert told["driver"] == "ODBC Driver 18 for SQL Server"
    assert not {"authentication", "trusted_connection"} & told.keys()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_integrated_authentication_needs_no_user(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    told, _ = connection(monkeypatch, environment, {"AUTHENTICATION": "windows"})
    assert told["trusted_connection"] == "yes"
    assert not {"uid", "pwd", "authentication"} & told.keys()
    assert (told["encrypt"], told["trustservercertificate"]) == ("Yes", "No")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    ("settings", "expected", "has_token"),
    [
        (
            {"AUTHENTICATION": "ActiveDirectoryServicePrincipal", **PRINCIPAL},
            {"authentication": "ActiveDirectoryServicePrincipal", "uid": "client", "pwd": SECRET},
            False,
        ),
        (
            {"AUTHENTICATION": "ActiveDirectoryPassword", **SQL},
            {"authentication": "ActiveDirectoryPassword", "uid": "etl", "pwd": SECRET},
            False,
        ),
        (
            {"AUTHENTICATION": "ActiveDirectoryIntegrated"},
            {"authentication": "ActiveDirectoryIntegrated"},
            False,
        ),
        ({"AUTHENTICATION": "ActiveDirectoryMsi"}, {}, True),
        ({"AUTHENTICATION": "cli"}, {}, True),
        ({"AUTHENTICATION": "environment"}, {}, True),
    ],
    ids=lambda value: value.get("AUTHENTICATION") if isinstance(value, dict) else None,
)
def test_entra_id(
    monkeypatch: pytest.MonkeyPatch,
    environment: str,
    settings: dict[str, str],
    expected: dict[str, str],
    *,
    has_token: bool,
) -> None:
    told, asks_for_a_token = connection(monkeypatch, environment, settings)
    assert {name: told.get(name) for name in expected} == expected
    assert asks_for_a_token == has_token
    assert "trusted_connection" not in told
    assert told["encrypt"] == "Yes"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_user_who_is_not_named_is_no_other_login(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    with pytest.raises(DbtProjectError, match=f"{environment}_MSSQL_USER"):
        connection(monkeypatch, environment, {"PASSWORD": SECRET})
