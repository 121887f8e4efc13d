"""The parts of a world: what is taught, what is practised, and what is kept for examination."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from viva.errors import InputError
from viva.records import Item
from viva.worlds import Drawn, World, make_world

__all__ = ["ASKED", "Parts", "asked_about", "parts_of"]

ASKED = ("test", "complication", "substance", "follow_up", "drug")
"""What is asked for. Doses are left out: a model of this size does not learn to multiply."""
_CHAINS, _TEST = 0.15, 0.25
_SENTENCE_END = re.compile(r"(?<=[.?])\s+")


@dataclass(frozen=True)
class Parts:
    """A world in parts. What must be put together in one part stands in no other."""

    world: World
    chains: tuple[Drawn, ...]
    """Reasoning items whose steps are shown."""
    practice: tuple[Drawn, ...]
    """Reasoning items of which only the key is used."""
    test: tuple[Drawn, ...]
    """Reasoning items that no training sees."""
    recall: tuple[Drawn, ...]
    """Recall items that are taught."""
    recall_test: tuple[Drawn, ...]
    """Recall items about taught facts, in vignettes of the test part."""


def _place(combination: str) -> float:
    digest = hashlib.sha256(combination.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def parts_of(seed: int, *, organs: int = 5, size: int = 6000) -> Parts:
    """Make a world, and part it by the combinations of disease, findings and conditions.

    Of the combinations 15 % are chains, 60 % practice and 25 % test: every disease is in each, the
    combination is what is new.

    Parameters
    ----------
    seed : int
        Of the world.
    organs : int
        There are four diseases for each.
    size : int
        Items of the world; of those asked about in ``ASKED`` about a third is practised.

    Raises
    ------
    InputError
        A world too small for every part to have something.
    """
    world = make_world(seed, size, organs=organs, plain=True)
    drawn = [each for each in world.drawn if each.item.meta["ask"] in ASKED]
    reasoning = [each for each in drawn if each.item.meta["kind"] == "reasoning"]
    placed = [(_place(each.item.meta["combination"]), each) for each in reasoning]
    test = tuple(each for place, each in placed if place >= 1 - _TEST)
    kept = {each.item.meta["layout"] for each in test}
    recall = [each for each in drawn if each.item.meta["kind"] == "recall"]
    parts = Parts(
        world,
        chains=tuple(each for place, each in placed if place < _CHAINS),
        practice=tuple(each for place, each in placed if _CHAINS <= place < 1 - _TEST),
        test=test,
        recall=tuple(each for each in recall if each.item.meta["layout"] not in kept),
        recall_test=tuple(each for each in recall if each.item.meta["layout"] in kept),
    )
    for name in ("chains", "practice", "test", "recall", "recall_test"):
        if not getattr(parts, name):
            raise InputError(f"a world of {size} items leaves nothing for {name}", mend="Make more")
    return parts


def asked_about(item: Item) -> tuple[str, str]:
    """The person that a question asks about, and the sentences that speak of that person.

    Parameters
    ----------
    item : Item
        Of a world made with ``plain``.
    """
    *told, question = _SENTENCE_END.split(item.question)
    names = [sentence.split()[0] for sentence in told if not sentence.startswith("This person ")]
    person = next(name for name in names if re.search(rf"\b{re.escape(name)}\b", question))
    about, found = "", []
    for sentence in told:
        first = sentence.split()[0]
        about = first if first in names else about
        if about == person:
            found.append(sentence)
    return person, " ".join(found)
