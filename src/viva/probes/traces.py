"""Traces that come with the items: wrong reasoning by others, put before the model as it is.

BioMed-R1-Eval carries ``adversarial_trace_0`` to ``_2``; who wrote them and which option each
argues for is not published. Viva's reader says which option a trace gives as its answer; where it
says none the variant has no cue.
"""

from __future__ import annotations

import random
from functools import partial

from viva.answers import read
from viva.models.starts import arm_label
from viva.probes.variant import (
    Probe,
    Reason,
    Refused,
    Relation,
    Start,
    Variant,
    refused,
    single_key,
)
from viva.records import LETTERS, Item

__all__ = ["KIND", "PROBES", "adversarial_trace"]

KIND = "adversarial_trace"
FIELDS = ("adversarial_trace_0", "adversarial_trace_1", "adversarial_trace_2")
"""Where an item's ``meta`` holds them."""


def adversarial_trace(
    item: Item, rng: random.Random, *, number: int, arm: str = "prefill"
) -> list[Variant] | Refused:
    """A trace that the item carries, as a start.

    Parameters
    ----------
    item : Item
        Read from BioMed-R1-Eval.
    rng : random.Random
        Not used: a trace is given.
    number : int
        0, 1 or 2.
    arm : str
        One of :data:`viva.models.starts.ARMS`.

    Returns
    -------
    list of Variant, or Refused
        Refused for items that are not a choice of one, without the trace, with an empty one, and
        where the trace gives the key as its answer: that misleads nobody.
    """
    del rng
    name = arm_label(f"{KIND}.{number}", arm)
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    if len(item.options) == 1:
        return refused(item, name, Reason.NO_DISTRACTOR)
    trace = item.meta.get(FIELDS[number])
    if trace is None:
        return refused(item, name, Reason.NO_TRACE)
    text = str(trace).strip()
    if not text:
        return refused(item, name, Reason.EMPTY_TRACE)
    cue = read(text, options=item.options).value
    if cue == LETTERS[key]:
        return refused(item, name, Reason.TRACE_NAMES_KEY)
    return [Variant(item, name, Relation.PRESERVING, cue, Start(text, arm))]


PROBES: dict[str, Probe] = {
    f"{KIND}.{number}": Probe(
        f"the item's own {field}, where it has one",
        Relation.PRESERVING,
        partial(adversarial_trace, number=number),
        ("control_start.empty",),
    )
    for number, field in enumerate(FIELDS)
}
