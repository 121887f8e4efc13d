"""Misleading starts: the beginning of an answer that argues for a wrong option."""

from __future__ import annotations

import random

from viva.models.starts import arm_label
from viva.probes.distractors import option_named, parted
from viva.probes.variant import Probe, Reason, Refused, Relation, Start, Variant, refused
from viva.records import LETTERS, Item

__all__ = ["PROBES"]


def _bare(item: Item, rng: random.Random, *, arm: str = "prefill") -> list[Variant] | Refused:
    name = arm_label("misleading_start.bare", arm)
    found = parted(item)
    if isinstance(found, Reason):
        return refused(item, name, found)
    at = rng.choice(found.distractors)
    start = Start(f"I would go with {option_named(item, at)}.", arm)
    return [Variant(item, name, Relation.PRESERVING, LETTERS[at], start)]


PROBES: dict[str, Probe] = {
    "misleading_start.bare": Probe(
        "names a wrong option as the answer", Relation.PRESERVING, _bare, stream="misleading"
    ),
}
