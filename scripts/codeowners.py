#!/usr/bin/env python
"""Writes .github/CODEOWNERS: each domain's folders belong to the owner of its group.

Which group has which folder stands in dbt_project.yml, who owns a group in models/_groups.yml.
"""

from __future__ import annotations

from typing import Any

import yaml

from common.project import ROOT

PAGE = ROOT / ".github" / "CODEOWNERS"
ORGANISATION = "example"  # on GitHub; its teams are called as owners are in models/_groups.yml
HEAD = """\
# Who is asked to review what. Written by scripts/codeowners.py from models/_groups.yml and
# dbt_project.yml; the last line that fits a file counts.
"""
# A domain's other folders, where it has them.
ALSO = ["macros/{}/", "seeds/{}/", "tests/{}/", "docs/{}/", "scripts/demo_sources/{}/"]


def codeowners() -> str:
    groups = yaml.safe_load((ROOT / "models" / "_groups.yml").read_text())["groups"]
    owners = {group["name"]: f"@{ORGANISATION}/{group['owner']['name']}" for group in groups}
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    folders: dict[str, str] = {}
    for layer, domains in project["models"]["medallion"].items():
        for domain, settings in domains.items() if isinstance(domains, dict) else []:
            if group := group_of(settings):
                folders[f"/models/{layer}/{domain}/"] = owners[group]
                others = [f"/{folder.format(domain)}" for folder in ALSO]
                folders |= {it: owners[group] for it in others if (ROOT / it[1:]).is_dir()}
    width = max(len(folder) for folder in folders)
    lines = [f"{folder:<{width}} {owner}" for folder, owner in sorted(folders.items())]
    return "\n".join([HEAD, f"{'*':<{width}} {owners['core']}", *lines]) + "\n"


def group_of(settings: Any) -> str | None:  # noqa: ANN401
    found: str | None = settings.get("+group") if isinstance(settings, dict) else None
    return found


if __name__ == "__main__":
    PAGE.write_text(codeowners(), encoding="utf-8")
