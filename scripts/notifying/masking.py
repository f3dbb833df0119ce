"""What is told leaves the project: it holds no secrets, and no rows."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from common.project import ROOT
from reporting.render import redactor

_MACRO = ROOT / "macros" / "operations" / "message_without_data.sql"
_SECRET = re.compile("SECRET|PASSW|TOKEN|CREDENTIAL|API_?KEY|NOTIFY_URLS?$", re.IGNORECASE)
_SHORTEST = 6  # below, a value is a word that may stand anywhere


def masker(variables: Iterable[str] = ()) -> Callable[[str], str]:
    """Masks the values of these variables and of secret ones, and passwords that look like one."""
    secret = set(variables)
    values = [
        part
        for name, value in os.environ.items()
        if name in secret or _SECRET.search(name)
        for part in {value, *re.split(r"[\s,]+", value)}
        if len(part) >= _SHORTEST
    ]
    known = re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))) or r"(?!)")
    redact = redactor(os.environ)
    return lambda text: str(redact(known.sub("*****", text)))


def without_data(message: str) -> str:
    """What a server or dbt said, without the rows and values it quotes: as it is kept in ops."""
    from jinja2 import Environment

    rules: Any = Environment(autoescape=False).from_string(  # noqa: S701  # plain text
        _MACRO.read_text(encoding="utf-8"),
        globals={
            "modules": SimpleNamespace(re=re),
            "return": lambda said: said or "",
        },
    )
    return str(rules.module.message_without_data(message)).strip()
