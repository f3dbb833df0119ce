"""The text of a view: SQL Server keeps it as it was written, names of schemas included.

A view that is built beside live names what was built with it: `"gold__next"."dim_film"`. When it
goes live, its text must name live; the rest of it stays as it is, to the last blank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from common.sqlserver import identifier
from publishing.errors import PublishError

Place = tuple[str, str]  # schema and name
Fold = Callable[[str], str]  # what the database takes for the same name

# Comments nest, so no pattern finds their end.
_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|--[^\r\n]*)
    | (?P<comment>/\*)
    | (?P<text>[nN]?'(?:[^']|'')*')
    | (?P<quoted>\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*")
    | (?P<word>[^\W\d][\w@$\#]*|[@\#][\w@$\#]*)
    | (?P<number>\d[\w.]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Token:
    """A part of a text that is neither blank nor comment. `name` is that of an identifier."""

    start: int
    end: int
    written: str
    name: str | None

    def is_word(self, *words: str) -> bool:
        return self.name == self.written and self.written.lower() in words


@dataclass(frozen=True)
class View:
    """A view's text, taken apart: what is before `create`, its options, what follows its name."""

    before: str
    place: Place
    rest: str
    options: frozenset[str]

    def at(self, schema: str, name: str) -> str:
        """The statement that makes it there, or changes what is there into it."""
        return f"{self.before}create or alter view {identifier(schema, name)}{self.rest}"


def parse(text: str) -> View:
    """Takes the statement that made a view apart. Raises PublishError if it is none."""
    tokens = list(_tokens(text))
    position = 1
    if _is(tokens, 1, "or") and _is(tokens, 2, "alter"):
        position = 3
    if not (_is(tokens, 0, "create", "alter") and _is(tokens, position, "view")):
        raise PublishError("Not published: the text of a view does not begin with `create view`.")
    position += 1
    schema, name = "", tokens[position].name or ""
    if tokens[position + 1].written == ".":
        position += 2
        schema, name = name, tokens[position].name or ""
    rest = text[tokens[position].end :]
    options = frozenset(_options(tokens[position + 1 :]))
    return View(text[: tokens[0].start], (schema, name), rest, options)


def rewritten(text: str, to: Mapping[Place, str], database: str, fold: Fold) -> str:
    """The text with the schemas of these relations replaced, wherever it names one of them."""
    wanted = {(fold(schema), fold(name)): new for (schema, name), new in to.items()}
    found = []
    for schema, name in _places(text, database, fold):
        new = wanted.get((fold(schema.name or ""), fold(name.name or "")))
        if new is not None:
            found.append((schema, new))
    for schema, new in reversed(found):
        text = text[: schema.start] + _as_written(schema, new) + text[schema.end :]
    return text


def references(text: str, database: str, fold: Fold) -> set[Place]:
    """All that may be a relation in the text, folded: a column of an alias looks like one."""
    return {
        (fold(schema.name or ""), fold(name.name or ""))
        for schema, name in _places(text, database, fold)
    }


def _is(tokens: list[Token], position: int, *words: str) -> bool:
    return position < len(tokens) and tokens[position].is_word(*words)


def _options(tokens: list[Token]) -> Iterator[str]:
    """What is between `with` and `as`, after the columns if they are named."""
    position = 0
    if tokens and tokens[0].written == "(":
        position = next((at for at, one in enumerate(tokens) if one.written == ")"), -1) + 1
    if _is(tokens, position, "with"):
        for token in tokens[position + 1 :]:
            if token.is_word("as"):
                return
            if token.name:
                yield token.name.lower()


def _as_written(token: Token, name: str) -> str:
    if token.written.startswith('"'):
        return '"' + name.replace('"', '""') + '"'
    is_plain = not token.written.startswith("[") and re.fullmatch(r"[A-Za-z_]\w*", name)
    return name if is_plain else identifier(name)


def _places(text: str, database: str, fold: Fold) -> Iterator[tuple[Token, Token]]:
    """Each `schema.name`, and `database.schema.name` if it is this database."""
    for chain in _chains(text):
        first, second = chain[0], chain[1]
        if first and second:
            yield first, second
        third = chain[2] if len(chain) > 2 else None
        if first and second and third and fold(first.name or "") == fold(database):
            yield second, third


def _chains(text: str) -> Iterator[list[Token | None]]:
    """Names with points between them, None where one is left out, as in `tempdb..t`."""
    chain: list[Token | None] = []
    is_after_point = False
    for token in _tokens(text):
        if token.name is not None and (is_after_point or not chain):
            chain.append(token)
            is_after_point = False
        elif token.written == "." and chain:
            if is_after_point:
                chain.append(None)
            is_after_point = True
        else:
            if len(chain) > 1:
                yield chain
            chain = [token] if token.name is not None else []
            is_after_point = False
    if len(chain) > 1:
        yield chain


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:  # an empty text alone matches nothing
            return
        kind, written = match.lastgroup, match[0]
        position = match.end()
        if kind == "comment":
            position = _end_of_comment(text, position)
        elif kind == "quoted":
            close = written[-1]
            name = written[1:-1].replace(close * 2, close)
            yield Token(match.start(), match.end(), written, name)
        elif kind == "word":
            yield Token(match.start(), match.end(), written, written)
        elif kind != "blank":
            yield Token(match.start(), match.end(), written, None)


def _end_of_comment(text: str, position: int) -> int:
    depth = 1
    for match in _COMMENT.finditer(text, position):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
