"""docker-compose.yml: what it promises about passwords, ports, volumes and health."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from common.project import ROOT

pytestmark = pytest.mark.unit

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = [name for name, service in SERVICES.items() if "ports" in service]


def test_both_engines_of_production_are_there() -> None:
    images = {SERVICES[name]["image"].split(":")[0] for name in SERVERS}
    assert images == {"mcr.microsoft.com/mssql/server", "postgres"}
    assert SERVICES["sqlserver"]["image"].split(":")[1].startswith("2022-")
    assert SERVICES["postgres"]["image"].split(":")[1].startswith("17.")


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_one_release(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert re.search(r"^\d+\.\d+|-CU\d+-", tag), tag
    assert "latest" not in tag


@pytest.mark.parametrize("name", SERVICES)
def test_no_password_is_in_the_file_or_has_a_default(name: str) -> None:
    passwords = {
        variable: value
        for variable, value in SERVICES[name]["environment"].items()
        if "PASSWORD" in variable
    }
    assert passwords
    for value in passwords.values():
        # only a variable that must be set: with `:?` also not to nothing
        assert re.fullmatch(r"\$\{DBT_ENV_SECRET_\w+:\?Set [^}]+\.env\.example\}", value)
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    for line in lines:
        for value in re.findall(r"(?i)\w*password\w*\"?\s*[:=]\s*(\S+)", line):
            assert value.startswith(('"${DBT_ENV_SECRET_', '"$$')), line


def test_its_variables_are_those_of_the_profile_and_documented() -> None:
    documented = set(re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(), re.M))
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    assert used
    assert used <= documented
    assert used <= set(re.findall(r"env_var\('(\w+)'", (ROOT / "profiles.yml").read_text()))


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_listens_on_loopback_only(name: str) -> None:
    assert SERVICES[name]["ports"]
    for port in SERVICES[name]["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port), port
    assert "network_mode" not in SERVICES[name]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_keeps_its_data_in_a_named_volume(name: str) -> None:
    volumes = [volume.split(":")[0] for volume in SERVICES[name]["volumes"]]
    assert volumes
    assert set(volumes) <= COMPOSE["volumes"].keys()


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_says_whether_it_answers(name: str) -> None:
    health = SERVICES[name]["healthcheck"]
    assert {"test", "interval", "timeout", "retries", "start_period"} <= health.keys()
    assert re.search(r"sqlcmd|pg_isready", " ".join(health["test"]))
    assert " -P " not in " ".join(health["test"]), "a list of processes shows the password"


def test_the_database_is_made_once_the_server_is_healthy() -> None:
    service = SERVICES["sqlserver-database"]
    assert service["depends_on"] == {"sqlserver": {"condition": "service_healthy"}}
    assert service["image"] == SERVICES["sqlserver"]["image"]
    (mounted,) = service["volumes"]
    assert (ROOT / mounted.split(":")[0] / "database.sql").is_file()
    assert service["entrypoint"][-1] == mounted.split(":")[1] + "/database.sql"
