"""Copies of evaluation items, planted among training data to see whether they are found."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from viva.analysis.planted import FEWEST, PLANTS
from viva.errors import InputError
from viva.records import Item
from viva.synthesis.example import Example

__all__ = ["FIELDS", "Plant", "check_plants", "plants"]

FIELDS = ("question", "context", "completion", "rejected")
"""Parts of an example in which a copy can lie."""
_KINDS = ("exact", "embedded", "edited", "options shuffled")
"""Of :data:`viva.analysis.planted.PLANTS`."""
_OTHERS = 400


class Plant(NamedTuple):
    """One copy, and the evaluation item that it is one of."""

    kind: str
    """One of :data:`viva.analysis.planted.PLANTS`, or ``context``."""
    field: str
    """One of :data:`FIELDS`: where it lies."""
    item: int
    """Row of the evaluation items."""
    example: Example
    whole: bool = False
    """Whether it is an item like the one copied, not a text that holds it."""


def _in_field(field: str, text: str, number: int) -> Example:
    """An example that has nothing but the text, in one of its parts."""
    asked = text if field == "question" else f"Planted {number}"
    item = Item("planted", str(number), asked, context=text if field == "context" else None)
    return Example(
        item,
        completion=text if field == "completion" else None,
        rejected=text if field == "rejected" else None,
    )


def _planted(
    kind: str, field: str, row: int, item: Item, others: Sequence[str], seed: int, number: int
) -> Plant | None:
    rng = random.Random(f"{seed} {kind} {row}")  # noqa: S311
    options = list(item.options)
    if field == "question" and kind in ("exact", "options shuffled"):
        if kind == "options shuffled":
            if len(options) < 2:
                return None
            rng.shuffle(options)
        copy = Item("planted", str(number), item.question, tuple(options), context=item.context,
                    media=item.media)  # fmt: skip
        return Plant(kind, field, row, Example(copy), whole=True)
    text = PLANTS[kind](item.question, options, rng, others)
    return Plant(kind, field, row, _in_field(field, text, number)) if text else None


def plants(
    items: Sequence[Item],
    *,
    searched: Sequence[bool],
    by_context: Sequence[bool],
    n: int,
    seed: int,
) -> list[Plant]:
    """Copies of some items of every evaluation set.

    Parameters
    ----------
    items : sequence of Item
        The evaluation items.
    searched, by_context : sequence of bool
        Of each item: whether its question may be looked for inside texts, and its context.
    n : int
        Items of each set that are copied, in every kind that applies; the parts of an example in
        which the copies lie take turns.
    seed : int
        Of the choice and the edits.

    Returns
    -------
    list of Plant
        Exact copies of any item, as an example of its own; inside a text, of those that are looked
        for there; edited and shuffled ones inside a text where the question has at least 20
        words: with fewer, one edit may leave nothing to know it by.
    """
    rng = random.Random(f"{seed} planted")  # noqa: S311
    sets: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        sets.setdefault(item.benchmark, []).append(row)
    others = [item.question for item in rng.sample(list(items), min(_OTHERS, len(items)))]
    made: list[Plant] = []
    for of_set in sets.values():
        for turn, row in enumerate(sorted(rng.sample(of_set, min(n, len(of_set))))):
            item = items[row]
            long = len(item.question.split()) >= FEWEST
            for kind in _KINDS:
                fields = ["question"] if kind in ("exact", "options shuffled") else []
                if searched[row] and (long or kind in ("exact", "embedded")):
                    fields.append(FIELDS[1:][turn % 3])
                for field in dict.fromkeys(fields):
                    one = _planted(kind, field, row, item, others, seed, len(made))
                    made += [one] if one else []
            if by_context[row] and item.context:
                field = FIELDS[1:][turn % 3]
                made.append(Plant("context", field, row, _in_field(field, item.context, len(made))))
    return made


def check_plants(
    made: Sequence[Plant],
    found: Sequence[bool],
    items: Sequence[Item],
    searched: Sequence[bool],
) -> dict[str, dict[str, int]]:
    """How many planted copies were found, by kind and part.

    Parameters
    ----------
    made : sequence of Plant
    found : sequence of bool
        Of each copy.
    items : sequence of Item
        The evaluation items.
    searched : sequence of bool
        Of each item: whether its question says enough to be looked for inside a text. Of the
        others only whole examples count.

    Returns
    -------
    dict
        Kind and part -> ``found`` and ``n``.

    Raises
    ------
    InputError
        Where one was not: what a search that misses copies lets through, nobody can say.
    """
    counts: dict[str, dict[str, int]] = {}
    missed: list[str] = []
    for plant, caught in zip(made, found, strict=True):
        if not (caught or searched[plant.item] or plant.whole or plant.kind == "context"):
            continue
        own = counts.setdefault(f"{plant.kind}, {plant.field}", {"found": 0, "n": 0})
        own["n"] += 1
        own["found"] += caught
        if not caught:
            item = items[plant.item]
            missed.append(f"{plant.kind} in the {plant.field}: {item.benchmark}/{item.item_id}")
    if missed:
        raise InputError(
            f"decontaminate missed {len(missed)} of {len(made)} copies that it planted itself "
            f"({'; '.join(missed[:4])})",
            where="decontaminate",
            mend="Nothing was filtered. Try another seed; if it happens again, report it",
        )
    return counts
