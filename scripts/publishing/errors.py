"""What stops a publish."""

from __future__ import annotations


class PublishError(RuntimeError):
    """Live is unchanged; the message says why, and what to do."""


class BusyError(PublishError):
    """Somebody holds a lock on what is to move: to be tried again."""


class StaleError(PublishError):
    """Another generation has become live since the plan was made."""
