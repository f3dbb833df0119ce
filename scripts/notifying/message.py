"""A message before it has a format: the verdict, and blocks of lines in order of interest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Level = Literal["success", "info", "warning", "failure"]

# Longer texts, such as what a database said, are cut: the place to read them is the run.
LONGEST_TEXT = 400


@dataclass(frozen=True)
class Code:
    """A name or a command, to be copied as it is."""

    text: str


@dataclass(frozen=True)
class Link:
    label: str
    url: str


Part: TypeAlias = str | Code | Link
Line: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True)
class Block:
    """Lines that belong together; `left_out` counts those that are told by their number only."""

    lines: tuple[Line, ...]
    title: str = ""
    vital: bool = False  # stays whole while anything else can be left out
    left_out: int = 0

    def shorter(self) -> Block:
        return replace(self, lines=self.lines[:-1], left_out=self.left_out + 1)


@dataclass(frozen=True)
class Message:
    """`verdict` is one line of plain text, the subject of an e-mail."""

    verdict: str
    level: Level
    blocks: tuple[Block, ...] = ()

    def told_as(self, tell: Callable[[str], str]) -> Message:
        """The same, each text of it on one line and as `tell` returns it."""

        def part(given: Part) -> Part:
            if isinstance(given, Link):
                return Link(clean(given.label), tell(given.url.strip()))
            return Code(clean(given.text)) if isinstance(given, Code) else clean(given, edges=True)

        def clean(text: str, *, edges: bool = False) -> str:
            words = " ".join(tell(text).split())
            if edges and words:  # a blank at its edge keeps a text apart from its neighbours
                words = " " * text[:1].isspace() + words + " " * text[-1:].isspace()
            return shortened(words, LONGEST_TEXT)

        blocks = tuple(
            replace(
                block,
                title=clean(block.title),
                lines=tuple(tuple(part(one) for one in line) for line in block.lines),
            )
            for block in self.blocks
        )
        return Message(clean(self.verdict), self.level, blocks)


def block(lines: Iterable[Line], title: str = "", *, vital: bool = False, most: int = 20) -> Block:
    """A block of at most `most` lines; of the others it says how many there are."""
    every = tuple(lines)
    return Block(every[:most], title, vital, max(0, len(every) - most))


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"[:length]


def fact(label: str, *parts: Part) -> Line:
    return (f"{label}: ", *parts)
