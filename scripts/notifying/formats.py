"""A message in the formats that services read: what is text stays text, whatever it holds."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from html import escape

from notifying.message import Block, Code, Line, Link, Message, Part, shortened

COLOURS = {"success": "#1a7f37", "info": "#0969da", "warning": "#9a6700", "failure": "#cf222e"}
_MARKUP = re.compile(r"([\\`*_\[\]<>~|#]|&(?=#?\w+;))")
# Looks like nothing, and keeps a word from being taken for a call of everybody.
_NOTHING = "\u200b"


class Format(ABC):
    """How a service wants text written. `bullet` begins a line of a list."""

    bullet = "- "
    between = "\n\n"  # blocks; a single break is a blank to some readers of Markdown
    under_title = "\n"

    @abstractmethod
    def text(self, text: str) -> str:
        """The text, of which nothing is taken for markup."""

    @abstractmethod
    def strong(self, text: str) -> str: ...

    @abstractmethod
    def code(self, text: str) -> str: ...

    @abstractmethod
    def link(self, link: Link) -> str: ...

    def title(self, verdict: str) -> str:
        """The verdict where the service shows it by itself."""
        return verdict

    def lead(self, message: Message) -> str:
        """What comes before the blocks where the service shows no title."""
        return self.strong(message.verdict)

    def part(self, part: Part) -> str:
        if isinstance(part, Code):
            return self.code(part.text)
        return self.link(part) if isinstance(part, Link) else self.text(part)

    def line(self, line: Line) -> str:
        return "".join(self.part(part) for part in line)

    def lines(self, block: Block) -> list[str]:
        more = [self.text(f"… and {block.left_out} more")] if block.left_out else []
        return [*map(self.line, block.lines), *more]

    def block(self, block: Block) -> str:
        if not block.title and len(self.lines(block)) == 1:
            return self.lines(block)[0]
        title = [self.strong(block.title)] if block.title else []
        items = [self.bullet + line for line in self.lines(block)]
        return self.under_title.join([*title, "\n".join(items)])

    def body(self, message: Message, length: int, *, with_verdict: bool) -> str:
        """All but the verdict, or all, in at most `length` characters.

        What is not vital goes first, line by line from the end. "" if nothing has room.
        """
        blocks = list(message.blocks)

        def written() -> str:
            shown = [self.block(block) for block in blocks if block.lines or block.left_out]
            return self.whole([*([self.lead(message)] if with_verdict else []), *shown])

        while blocks and len(written()) > length:
            spare = [at for at, block in enumerate(blocks) if block.lines and not block.vital]
            if spare:
                blocks[spare[-1]] = blocks[spare[-1]].shorter()
            else:
                blocks.pop()
        text = written()
        return text if len(text) <= length else ""

    def whole(self, blocks: list[str]) -> str:
        return self.between.join(blocks)


class Text(Format):
    def text(self, text: str) -> str:
        return text

    def strong(self, text: str) -> str:
        return text

    def code(self, text: str) -> str:
        return text

    def link(self, link: Link) -> str:
        return f"{link.label}: {link.url}"


class Markdown(Format):
    """CommonMark, as Discord and most services read it."""

    def text(self, text: str) -> str:
        return _calling_nobody(_MARKUP.sub(r"\\\1", text))

    def title(self, verdict: str) -> str:
        return self.strong(verdict)

    def strong(self, text: str) -> str:
        return f"**{self.text(text)}**"

    def code(self, text: str) -> str:
        if not text:
            return ""
        longest = max(map(len, re.findall("`+", text)), default=0)
        fence, blank = "`" * (longest + 1), " " if longest else ""
        return f"{fence}{blank}{text}{blank}{fence}"

    def link(self, link: Link) -> str:
        url = re.sub(r"[\s<>\\]", lambda found: f"%{ord(found[0]):02X}", link.url)
        return f"[{self.text(link.label)}](<{url}>)"


class Slack(Markdown):
    """What apprise turns into Slack's own markup, which knows no backslash: code keeps words."""

    bullet = "• "

    def title(self, verdict: str) -> str:
        return verdict

    def text(self, text: str) -> str:
        return re.sub(r"\S+", lambda word: self._word(word[0]), text)

    def _word(self, word: str) -> str:
        if re.search(r"[*_~`]", word):
            return self.code(word)
        return _calling_nobody(re.sub(r"([<>\[\]\\])", r"\\\1", word))

    def strong(self, text: str) -> str:
        # Code inside what is strong shows the asterisks.
        return self.text(text) if re.search(r"[*_~`]", text) else super().strong(text)

    def code(self, text: str) -> str:
        return super().code(text.replace("`", "'"))


class Teams(Markdown):
    """The Markdown of adaptive cards, without code; `<at>` would mention somebody."""

    under_title = "\n\n"

    def text(self, text: str) -> str:
        return super().text(re.sub(r"<(?=/?at>)", f"<{_NOTHING}", text, flags=re.IGNORECASE))

    def title(self, verdict: str) -> str:
        return self.text(verdict)  # the card's title is bold already

    def code(self, text: str) -> str:
        return self.text(text)

    def link(self, link: Link) -> str:
        url = re.sub(r"[\s<>()\\]", lambda found: f"%{ord(found[0]):02X}", link.url)
        return f"[{self.text(link.label)}]({url})"


class Html(Format):
    bullet = ""
    between = "\n"

    def text(self, text: str) -> str:
        return escape(text)

    def strong(self, text: str) -> str:
        return f"<strong>{escape(text)}</strong>"

    def code(self, text: str) -> str:
        style = "background:rgba(127,127,127,.12);padding:1px 4px;border-radius:4px;font-size:13px"
        # No <code>: in the mail's plain text, apprise would put it on a line of its own.
        return f'<span style="font-family:monospace;{style}">{escape(text)}</span>'

    def link(self, link: Link) -> str:
        # The address is shown, for the mail's plain text has nothing else of it.
        return f'{escape(link.label)}: <a href="{escape(link.url)}">{escape(link.url)}</a>'

    def lead(self, message: Message) -> str:
        colour = COLOURS[message.level]
        return (
            f'<p style="font-size:20px;margin:0 0 12px;padding:2px 0 2px 12px;'
            f'border-left:4px solid {colour}"><strong>{escape(message.verdict)}</strong></p>'
        )

    def block(self, block: Block) -> str:
        if not block.title and len(self.lines(block)) == 1:
            return f"<p>{self.lines(block)[0]}</p>"
        title = f'<p style="margin:12px 0 4px">{self.strong(block.title)}</p>'
        items = "".join(f"<li>{line}</li>" for line in self.lines(block))
        listed = f'<ul style="margin:0 0 8px;padding-left:20px">{items}</ul>'
        return f"{title}\n{listed}" if block.title else listed

    def whole(self, blocks: list[str]) -> str:
        style = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.5"
        return f'<div style="{style};max-width:760px">\n{self.between.join(blocks)}\n</div>'


def _calling_nobody(text: str) -> str:
    return re.sub("@(?=everyone|here|channel)", f"@{_NOTHING}", text)


def plain(message: Message) -> str:
    """The message as a terminal shows it."""
    return Text().body(message, 1_000_000, with_verdict=True)


def fitted(
    message: Message, as_written: Format, *, title_length: int, body_length: int
) -> tuple[str, str]:
    """Title and body within the lengths of a service; a title of 0 goes into the body.

    The body is never empty, since services refuse that, and the verdict is always told.
    """
    if title_length > 0:
        title = _whole_markup(message.verdict, as_written.title, title_length)
        # To some services, the title counts as a part of the body.
        room = body_length - len(title) - 2
        in_body = isinstance(as_written, Html)
        body = as_written.body(message, room, with_verdict=in_body)
        if body:
            return title, body
    body = as_written.body(message, body_length, with_verdict=True)
    return "", body or _whole_markup(message.verdict, as_written.text, body_length)


def _whole_markup(text: str, write: Callable[[str], str], length: int) -> str:
    """As much of a text as has room, with all that keeps it from being markup."""
    written = (write(shortened(text, size)) for size in range(min(len(text), length), 0, -1))
    return next((found for found in written if len(found) <= length), "")


def with_blocks(message: Message, *blocks: Block) -> Message:
    return replace(message, blocks=tuple(one for one in blocks if one.lines or one.left_out))
