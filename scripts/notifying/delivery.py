"""Sends announcements to their channels: at once, each within seconds, and without raising.

What apprise logs is never shown: it may hold addresses, and with them tokens.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from notifying.formats import Format, Html, Markdown, Slack, Teams, Text, fitted
from notifying.message import Message
from notifying.routing import Announcement

# For one channel: connecting, sending, a second try after a pause.
SECONDS = 10.0
PAUSE = 1.0
# Characters; who wants to know more opens the run.
LONGEST = 8000
# Title and body where apprise's limits aren't those of the service: a card of Teams may have 28 KB,
# a block of Slack 3000 characters, its header 150.
LENGTHS = {"workflow": (250, LONGEST), "slack": (150, 2500)}
WRITTEN: dict[str, Format] = {"slack": Slack(), "workflow": Teams(), "discord": Markdown()}
PREFERRED = {"slack": "markdown", "discord": "markdown", "mailtos": "html"}


@dataclass(frozen=True)
class Channel:
    """An address of a variable, and what to send there."""

    variable: str
    number: int  # among the variable's addresses, from 1
    message: Message
    address: str = field(repr=False)


@dataclass(frozen=True)
class Delivery:
    """What became of a message: `problem` is "" if it was sent, and never holds the address."""

    channel: str
    problem: str = ""
    gave_up: bool = False  # a thread may still wait for the service


def addresses(variable: str) -> list[str]:
    """The apprise URLs that a variable holds, separated by blanks or commas."""
    # A URL may hold commas itself, so one ends a URL only if another URL follows.
    separated = re.split(r"\s+|,+(?=\s|$|[A-Za-z][\w+.-]*://)", os.environ.get(variable, ""))
    return list(dict.fromkeys(filter(None, (one.strip(",") for one in separated))))


def channels(announcements: Sequence[Announcement]) -> list[Channel]:
    """Where to send what. An address gets one message: the first, which is everybody's."""
    found: dict[str, Channel] = {}
    for announcement in announcements:
        for number, address in enumerate(addresses(announcement.variable), start=1):
            channel = Channel(announcement.variable, number, announcement.message, address)
            found.setdefault(address, channel)
    return list(found.values())


def unset(announcements: Sequence[Announcement]) -> Iterator[str]:
    """A sentence for each variable that is named but holds no address."""
    for announcement in announcements:
        if not addresses(announcement.variable):
            yield (
                f"{announcement.variable} is not set, so the message to {announcement.to} is not "
                "sent: see .env.example."
            )


def deliver(channels: Sequence[Channel]) -> list[Delivery]:
    """Sends to all channels at the same time; takes about SECONDS at most."""
    if not channels:
        return []
    _silence()
    with ThreadPoolExecutor(max_workers=len(channels)) as pool:
        return list(pool.map(_send, channels))


def _silence() -> None:
    for name in ("apprise", "requests", "urllib3"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def _send(channel: Channel) -> Delivery:
    name = f"{channel.variable} {channel.number}"
    try:
        return _send_by_apprise(channel, name)
    except Exception as error:  # whatever it is, its text may hold the address
        return Delivery(name, f"sending failed with {type(error).__name__}")


def _send_by_apprise(channel: Channel, name: str) -> Delivery:
    import apprise

    asset = apprise.AppriseAsset(
        app_id="Medallion",
        app_desc="Medallion",
        app_url="",
        image_url_mask="",  # pictures would be read from GitHub
        image_url_logo="",
        http_redirects=False,  # to a page for logging in: that is no success
        storage_mode="memory",
        service_timeout=SECONDS,
        default_service_retry=1,
        default_service_wait=PAUSE,
    )
    plugin: Any = apprise.Apprise.instantiate(channel.address, asset=asset)
    if plugin is None:
        return Delivery(name, "this is no address that apprise knows, see docs/notifications.md")
    name += f" ({plugin.service_name})"
    # Longer, since a second try of what may have arrived would make two messages of it.
    plugin.socket_read_timeout = SECONDS + 1
    plugin.request_rate_per_sec = min(plugin.request_rate_per_sec, PAUSE)
    plugin.overflow_mode = apprise.OverflowMode.TRUNCATE

    service = _service(plugin)
    preferred = PREFERRED.get(service)
    chosen = plugin.resolve_format(apprise.NotifyFormat(preferred) if preferred else None)
    default = {"html": Html(), "markdown": Markdown()}.get(chosen.value, Text())
    as_written = WRITTEN.get(service, default) if chosen.value == "markdown" else default
    title_length, length = LENGTHS.get(service, (plugin.title_maxlen, plugin.body_maxlen))
    plugin.body_maxlen = length
    title, body = fitted(
        channel.message,
        as_written,
        title_length=title_length,
        body_length=min(length, LONGEST),
    )
    sender = apprise.Apprise(asset=asset)
    sender.add(plugin)
    result = sender.notify(
        body=body, title=title, body_format=chosen, notify_type=channel.message.level
    )
    if result:
        return Delivery(name)
    if result.status == apprise.AppriseResultStatus.TIMEOUT:
        return Delivery(name, f"no answer within {SECONDS:.0f} s", gave_up=True)
    answered = re.findall(r"\berror=(\d{3})\b", " ".join(entry.message for entry in result.logs()))
    return Delivery(
        name, f"it answered {answered[-1]}" if answered else "it can't be reached, or refuses"
    )


def _service(plugin: Any) -> str:  # noqa: ANN401  # an apprise plugin
    protocol = plugin.secure_protocol or plugin.protocol
    return str(protocol if isinstance(protocol, str) else protocol[0])
