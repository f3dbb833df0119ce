"""Drops what older generations keep."""

from __future__ import annotations

from collections.abc import Iterable

from publishing.engine import Engine
from publishing.generations import NOTHING, Ledger
from publishing.names import generation_of

# How many generations before the live one can become live again, where nobody says it.
KEPT = 10


def prune(engine: Engine, ledger: Ledger, layers: Iterable[str], keep: int) -> list[str]:
    """Drops the schemas of generations that are more than `keep` before the live one.

    What was rolled back is kept until a later generation is live. Returns the schemas.
    Raises PublishError if something else reads what is there; then nothing is dropped.
    """
    layers, known = list(layers), {one.number: one for one in ledger.all()}
    number = ledger.live_number()
    if number == NOTHING:
        return []
    kept = {one for one in known if one > number and known[one].status == "rolled back"}
    kept.update([*(one.number for one in ledger.history()), NOTHING][: keep + 1])
    schemas = {
        generation_of(layer, one) for layer in layers for one in (NOTHING, *known)
        if one not in kept
    }  # fmt: skip
    dropped = sorted({one for layer in layers for one in engine.schemas_like(layer)} & schemas)
    engine.drop_schemas(dropped)
    for number, one in known.items():
        if number not in kept and one.status in ("retired", "rolled back"):
            ledger.mark_pruned(number)
    ledger.forget_manifests()
    return dropped
