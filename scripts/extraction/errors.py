"""Two kinds of failure: those worth another try, and those that somebody must mend."""

from __future__ import annotations

from collections.abc import Sequence


class ExtractError(Exception):
    """Somebody must do something first; the message says what.

    What it quotes of the data comes last, after `DETAIL:` as in Postgres: it is not kept in ops.
    """


class TransientError(ExtractError):
    """The same call may succeed in a moment: a dropped connection, a server that is starting."""


class NullKeyError(ExtractError):
    """A table whose rows are told apart by a key that is null in some of them."""

    def __init__(self, name: str, keys: Sequence[str]) -> None:
        super().__init__(
            f"{name}: its primary_key ({', '.join(keys)}) is null in some rows at the source, so "
            "its rows can't be told apart. Name columns that are never null, or set `mode: full` "
            "without `deletes: soft`. Landing is unchanged."
        )


def redact(text: str, *secrets: str | None) -> str:
    """`text` without any of the secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text
