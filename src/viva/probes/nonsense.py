"""Questions about diseases that nobody has described: none of the options can be right."""

from __future__ import annotations

import random

from viva.probes._templates import filled, load
from viva.probes.findings import asks_nothing_else, parted_question
from viva.probes.options import exhaustive, stands_for_others
from viva.probes.variant import Probe, Reason, Refused, Relation, Variant, changed, refused
from viva.records import Item

__all__ = ["PROBES", "invented", "nonsense"]


def invented(rng: random.Random, kind: str) -> str:
    """A word that names nothing.

    Parameters
    ----------
    rng : random.Random
        Draws its pieces.
    kind : str
        ``disease``, ``substance`` or ``place``: what it sounds like.
    """
    pieces = load("nonsense")["pieces"]
    parts = (pieces["first"], pieces["middle"], pieces[kind])
    word = "".join(part[int(rng.random() * len(part))] for part in parts)
    return word if kind == "disease" else word.lower()  # eponyms keep their capital


def nonsense(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The options under a question about an invented disease; the variant has no key.

    The item's own question is kept where it says nothing of the case and could be asked of any
    (:func:`viva.probes.findings.asks_nothing_else`); else one of ``templates/nonsense.toml`` is
    asked. Options stay as they are, in their order.
    """
    name = "wording.nonsense"
    if not item.options:
        return refused(item, name, Reason.NO_OPTIONS)
    if any(stands_for_others(option) for option in item.options):
        return refused(item, name, Reason.OPTIONS_NAME_OTHERS)
    if exhaustive(item.options):
        return refused(item, name, Reason.OPTIONS_EXHAUST)
    questions = load("nonsense")["questions"]
    parted = parted_question(item.question)
    asked = parted.question.strip() if parted else ""
    kept = bool(asked) and asks_nothing_else(asked) and asked.endswith("?")
    pool = questions["case" if kept else "knowledge"]
    slots = {kind: invented(rng, kind) for kind in ("disease", "substance", "place")}
    text = filled(pool[int(rng.random() * len(pool))], **slots)
    question = f"{text} {asked}" if kept else text
    variant = changed(
        item, name, Relation.UNANSWERABLE, question=question, context=None, target=None
    )
    return [
        Variant(
            variant,
            name,
            Relation.UNANSWERABLE,
            note=", ".join(v for v in slots.values() if v in text),
        )
    ]


PROBES: dict[str, Probe] = {
    "wording.nonsense": Probe("asks about an invented disease", Relation.UNANSWERABLE, nonsense),
}
