"""Two kinds of failure: those worth another try, and those that somebody must mend."""

from __future__ import annotations


class ExtractError(Exception):
    """Somebody must do something first; the message says what."""


class TransientError(ExtractError):
    """The same call may succeed in a moment: a dropped connection, a server that is starting."""


def redact(text: str, *secrets: str | None) -> str:
    """`text` without any of the secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text
