"""profiles.yml: can dbt read it, is the target there, are its variables set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from common.project import ROOT
from diagnosis.finding import Finding, ok, problem

CHECK = "profile"


def profiles_folder() -> Path:
    return Path(os.environ.get("DBT_PROFILES_DIR", ROOT))


def read_outputs(folder: Path) -> tuple[dict[str, Any], str] | Finding:
    """The outputs of the project's profile and its default target, not rendered."""
    path = folder / "profiles.yml"
    elsewhere = " (DBT_PROFILES_DIR is set)" if "DBT_PROFILES_DIR" in os.environ else ""
    try:
        name = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["profile"]
        profiles = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = "Restore it from the repository, or unset DBT_PROFILES_DIR."
        return problem(CHECK, f"{path}{elsewhere}: {error.strerror}", remedy)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        return problem(CHECK, f"{path}{line} is not YAML", "Mend that line; look at the indents.")
    try:
        return profiles[name]["outputs"], str(profiles[name].get("target", "default"))
    except (KeyError, TypeError):
        remedy = f"It must hold `{name}:` with `outputs:`, as the repository's own does."
        return problem(CHECK, f"{path}{elsewhere} has no profile `{name}`", remedy)


def missing_variables(output: dict[str, Any]) -> list[str]:
    """The environment variables that dbt needs for a target and cannot find."""
    from dbt.config.renderer import ProfileRenderer
    from dbt.exceptions import EnvVarMissingError
    from dbt_common.context import set_invocation_context

    set_invocation_context(os.environ)
    missing: list[str] = []
    for value in output.values():
        try:
            # Without the key: dbt lets a password that cannot be rendered pass, unrendered.
            ProfileRenderer({}).render_value(value)
        except EnvVarMissingError as error:
            missing.append(error.var)
    return missing


def default_target(rendered_from: str) -> str:
    from dbt.config.renderer import ProfileRenderer
    from dbt_common.context import set_invocation_context

    set_invocation_context(os.environ)
    return str(ProfileRenderer({}).render_value(rendered_from))


def check_profile(target: str | None) -> tuple[Finding, str | None]:
    """What is to say about the profile, and the name of the target if it can be used."""
    found = read_outputs(profiles_folder())
    if isinstance(found, Finding):
        return found, None
    outputs, default = found
    name = target or default_target(default)
    if name not in outputs:
        remedy = f"Choose one of {', '.join(sorted(outputs))}: --target, or MEDALLION_TARGET."
        return problem(CHECK, f"there is no target `{name}`", remedy), None
    if missing := missing_variables(outputs[name]):
        remedy = "Set them; .env.example says what each one is."
        return problem(CHECK, f"target `{name}` lacks {', '.join(missing)}", remedy), None
    return ok(CHECK, f"target `{name}` on {outputs[name]['type']}"), name
