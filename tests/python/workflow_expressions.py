"""GitHub's expressions, as far as this project's workflows use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<word>[A-Za-z_][\w-]*)"
    r"|(?P<sign>\|\||&&|==|!=|[!().,\[\]]))"
)
_INSERTED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Contexts = Mapping[str, Any]
Functions = Mapping[str, Callable[..., Any]]


def fill_in(text: str, contexts: Contexts, functions: Functions | None = None) -> str:
    """A value of a workflow with its expressions filled in."""
    return _INSERTED.sub(lambda found: _word(evaluate(found[1], contexts, functions)), text)


def condition(text: object, contexts: Contexts, functions: Functions) -> bool:
    """Whether an `if:` holds."""
    expression = str(text).strip().removeprefix("${{").removesuffix("}}")
    return bool(evaluate(expression, contexts, functions))


def evaluate(text: str, contexts: Contexts, functions: Functions | None = None) -> Any:  # noqa: ANN401
    """The value of an expression; what a context doesn't have is empty, as on GitHub.

    Raises ValueError for what is not understood, and for a context that is not there.
    """
    parser = _Parser(_tokens(text), contexts, functions or {})
    value = parser.either()
    if parser.tokens:
        raise ValueError(f"what is {parser.tokens[0]!r} in {text!r}?")
    return value


def _word(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _constant(word: str) -> object:
    if word.startswith("'"):
        return word[1:-1].replace("''", "'")
    return int(word) if word.isdigit() else word == "true"


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"not understood: {text[at:]!r}")
        found.append(match[match.lastgroup or 0])
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], contexts: Contexts, functions: Functions) -> None:
        self.tokens, self.contexts, self.functions = tokens, contexts, functions

    def either(self) -> Any:  # noqa: ANN401
        value = self.both()
        while self._takes("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:  # noqa: ANN401
        value = self.compared()
        while self._takes("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self) -> Any:  # noqa: ANN401
        value = self.one()
        for sign in ("==", "!="):
            if self._takes(sign):
                # What is not there compares as an empty text.
                same = _word(value) == _word(self.one())
                return same if sign == "==" else not same
        return value

    def one(self) -> Any:  # noqa: ANN401
        word = self.tokens.pop(0)
        if word == "!":
            return not self.one()
        if word == "(":
            value = self.either()
            self._expect(")")
            return value
        if word.startswith("'") or word.isdigit() or word in ("true", "false"):
            return _constant(word)
        if self._takes("("):
            return self._call(word)
        if word not in self.contexts:
            raise ValueError(f"there is no context {word!r}")
        return self._path(self.contexts[word])

    def _call(self, name: str) -> Any:  # noqa: ANN401
        given = []
        while not self._takes(")"):
            given.append(self.either())
            self._takes(",")
        if name == "format":
            return re.sub(r"\{(\d+)\}", lambda found: _word(given[int(found[1]) + 1]), given[0])
        if name not in self.functions:
            raise ValueError(f"there is no function {name!r} here")
        return self.functions[name](*given)

    def _path(self, value: Any) -> Any:  # noqa: ANN401
        while self.tokens and self.tokens[0] in (".", "["):
            if self.tokens.pop(0) == ".":
                name = self.tokens.pop(0)
            else:
                name = self.either()
                self._expect("]")
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _takes(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == sign:
            self.tokens.pop(0)
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise ValueError(f"{sign!r} is missing")
