#!/usr/bin/env python
"""Writes docs/data-dictionary.md from what dbt knows of models, metrics and sources."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from common.dbt_project import manifest as parsed_manifest
from common.project import ROOT

PAGE = ROOT / "docs" / "data-dictionary.md"
TEMPLATE = Path(__file__).with_suffix(".md.j2")
KINDS = ("dim_", "fact_", "mart_", "metrics_")
TABLES = ("model", "seed", "snapshot")
# Where a source is in production, by the `kind` of its extraction; without, the project wrote it.
SYSTEMS = {"postgres": "Postgres", "sqlserver": "SQL Server", "http": "an HTTP API", "": "this one"}
# What is read of a source's table, by its mode.
READ = {"full": "whole", "cursor": "what is new by `{}`", "compare": "what differs"}

Json = Mapping[str, Any]


def data_dictionary(manifest: Json) -> str:
    """The page for a manifest as in manifest.json; the same page for the same project."""
    environment = Environment(  # noqa: S701 - Markdown, not HTML; `_cell` escapes
        loader=FileSystemLoader(TEMPLATE.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(TEMPLATE.name)
    page = template.render(domains=_domains(manifest), sources=_sources(manifest))
    return page.rstrip("\n") + "\n"


def _domains(manifest: Json) -> list[dict[str, Any]]:
    tables: dict[str, list[Json]] = defaultdict(list)
    for node in sorted(manifest["nodes"].values(), key=_order):
        is_gold = node["resource_type"] == "model" and node["fqn"][1] == "gold"
        if is_gold or node["resource_type"] == "seed":
            tables[_domain(node)].append(node)
    groups = {group["name"]: group for group in manifest["groups"].values()}
    readers, claims, metrics = _readers(manifest), _claims(manifest), _metrics(manifest)
    return [
        {
            "title": _title(domain),
            "anchor": _title(domain).lower().replace(" ", "-"),
            "links": [f"[{node['name']}](#{node['name']})" for node in nodes],
            "description": _one_line(group["description"]),
            "owner": group["owner"]["name"],
            "metrics": metrics[domain],
            "tables": [
                {
                    "name": node["name"],
                    "description": _one_line(node["description"]),
                    "readers": readers[node["unique_id"]],
                    "columns": _columns(node),
                    "claims": claims[node["unique_id"]],
                }
                for node in nodes
            ],
        }
        for domain, nodes in sorted(tables.items())
        for group in [groups[nodes[0]["config"]["group"]]]
    ]


def _order(node: Json) -> tuple[bool, int, str]:
    """Dimensions before the facts that name them; other names and reference tables last."""
    kinds = [i for i, kind in enumerate(KINDS) if node["name"].startswith(kind)]
    return node["resource_type"] == "seed", kinds[0] if kinds else len(KINDS), node["name"]


def _domain(node: Json) -> str:
    """The folder: <layer>/<domain>/ of models and metrics, <domain>/ of seeds."""
    return str(node["fqn"][-2])


def _readers(manifest: Json) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for exposure in sorted(manifest["exposures"].values(), key=lambda item: str(item["name"])):
        for parent in exposure["depends_on"]["nodes"]:
            found[parent].append(exposure.get("label") or exposure["name"])
    return found


def _metrics(manifest: Json) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for metric in sorted(manifest["metrics"].values(), key=lambda item: str(item["name"])):
        found[_domain(metric)].append(
            {"name": metric["name"], "meaning": _cell(metric["description"])}
        )
    return found


def _claims(manifest: Json) -> dict[str, list[str]]:
    """What is tested of each node. The name of a test is its claim, unless dbt made it up."""
    names = _names(manifest)
    found: dict[str, list[str]] = defaultdict(list)
    for test in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"])):
        generic = test.get("test_metadata") or {}
        if test["resource_type"] != "test" or test["name"].startswith(f"{generic.get('name')}_"):
            continue
        attached = test.get("attached_node")
        for guarded in [attached] if attached else test["depends_on"]["nodes"]:
            found[guarded].append(_claim(test, names))
    return found


def _names(manifest: Json) -> re.Pattern[str]:
    """Names of tables within the name of a test, the longest: dim_film_price, and not dim_film."""
    tables = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in TABLES and "_" in node["name"]
    }
    longest_first = sorted(tables, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<![^_])({'|'.join(longest_first)})(?![^_])")


def _claim(test: Json, names: re.Pattern[str]) -> str:
    """A sentence: `dim_film_has_every_film` is "`dim_film` has every film."."""
    words = [
        f"`{part}`" if is_name else part.replace("_", " ")
        for part, is_name in zip(names.split(test["name"]), cycle([False, True]))
    ]
    text = "".join(words)
    text = text[0].upper() + text[1:] + "."
    config = test["config"]
    if config["severity"].lower() == "warn" or config["error_if"] != "!= 0":
        text += f" Known exceptions: {_one_line(test['description'])}"
    return text


def _columns(node: Json) -> list[dict[str, str]]:
    keys = {
        name
        for constraint in node.get("constraints") or []
        if constraint["type"] == "primary_key"
        for name in constraint["columns"]
    }
    types = node["config"].get("column_types") or {}
    rows = []
    for column in node["columns"].values():
        if column["name"].startswith("_"):
            continue
        rules = {constraint["type"] for constraint in column.get("constraints") or []}
        is_key = column["name"] in keys or "primary_key" in rules
        marks = {
            "key": is_key,
            "required": "not_null" in rules and not is_key,
            "personal": _is_personal(column),
        }
        rows.append(
            {
                "name": column["name"],
                "type": column.get("data_type") or types.get(column["name"]) or "",
                "marks": ", ".join(mark for mark, holds in marks.items() if holds),
                "meaning": _cell(column["description"]),
            }
        )
    return rows


def _is_personal(column: Json) -> bool:
    meta = (column.get("config") or {}).get("meta") or {}
    return bool(meta.get("contains_pii"))


def _sources(manifest: Json) -> list[dict[str, Any]]:
    sources: dict[str, list[Json]] = defaultdict(list)
    for table in sorted(manifest["sources"].values(), key=lambda item: str(item["unique_id"])):
        sources[table["source_name"]].append(table)
    return [
        {
            "title": f"Source {name}",
            "link": f"[{name}](#source-{name})",
            "description": _one_line(tables[0]["source_description"]),
            "system": SYSTEMS.get(kind, kind),
            "owner": tables[0]["source_meta"]["owner"],
            "tables": [_source_table(table) for table in tables],
        }
        for name, tables in sources.items()
        for kind in [tables[0]["source_meta"].get("extract", {}).get("kind", "")]
    ]


def _source_table(table: Json) -> dict[str, str]:
    extract = table["config"]["meta"].get("extract", {})
    mode = extract.get("mode", "full")
    personal = [name for name, column in table["columns"].items() if _is_personal(column)]
    freshness = table.get("freshness") or {}
    limits = [freshness.get("warn_after"), freshness.get("error_after")]
    return {
        "name": table["name"],
        "meaning": _cell(table["description"]),
        "read": READ[mode].format(extract.get("cursor")),
        "late": ", ".join(_age(it["count"], it["period"]) for it in limits if it and it["count"]),
        "personal": ", ".join(f"`{name}`" for name in personal),
    }


def _age(count: int, period: str) -> str:
    return f"{count} {period}" if count == 1 else f"{count} {period}s"


def _title(domain: str) -> str:
    return domain.replace("_", " ").title()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return re.sub(r"([|<])", r"\\\1", _one_line(text))


@click.command(help=__doc__)
def main() -> None:
    manifest = parsed_manifest().writable_manifest().to_dict(omit_none=False)
    PAGE.write_text(data_dictionary(manifest), encoding="utf-8")
    click.echo(f"Wrote {PAGE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
