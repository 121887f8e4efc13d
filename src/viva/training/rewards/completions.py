"""What a reward looks at: a completion, the answer read from it, and the reasoning before it.

Every component takes a plain text or a :class:`Completion`. The answer is read by
:func:`viva.answers.read` and nothing else, once for all components of one completion.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from viva.answers import Form, Reading, form_of, read
from viva.answers.region import answer_region
from viva.judging.units import answer_passage, reasoning_passage, split_units
from viva.records import Item, Status
from viva.targets import Label, Target

__all__ = [
    "LONGEST",
    "Completion",
    "Component",
    "answer_text",
    "as_completion",
    "one_answer",
    "read_answer",
    "reasoned",
    "sentences",
    "thinking",
    "value_read",
]

LONGEST = 200_000
"""Characters of reasoning that process and form components look at; the answer is always read."""


@dataclass(slots=True)
class Completion:
    """What a policy wrote, with what its trainer knows of it."""

    text: str
    """As generated, special tokens kept or not."""
    reasoning: str | None = None
    """Where the server parts the reasoning from the text."""
    finish_reason: str | None = None
    """``length`` where the completion was cut."""
    thinking_open: bool = False
    """The prompt's template already opened the thinking, so that the text starts inside it."""
    step: int | None = None
    """The trainer's step, for :func:`viva.training.rewards.schedule`."""
    _readings: list[tuple[Form, Reading]] = field(default_factory=list, repr=False, compare=False)


Component = Callable[[Item, "Completion | str"], float | None]
"""(item, completion) -> reward; None where it does not apply to the item. Pure and bounded."""


def as_completion(completion: Completion | str | None) -> Completion:
    """The completion; a text becomes one, None an empty one."""
    if isinstance(completion, Completion):
        return completion
    return Completion(completion or "")


def read_answer(item: Item, completion: Completion | str) -> Reading:
    """What the completion answers to the item, as evaluation reads it.

    Only where an answer is asked (``B?``) or left open (``B, but it could be C``) a reward is
    stricter: what a policy could learn to write costs nothing to refuse.

    Parameters
    ----------
    item : Item
        With a target.
    completion : Completion or str

    Returns
    -------
    Reading
    """
    said = as_completion(completion)
    form = form_of(item)
    if form is None:
        return Reading(Status.UNPARSED, None, None, "no answer text")
    for known, reading in said._readings:
        if known == form:
            return reading
    reading = read(
        said.text, form, thinking_open=said.thinking_open, finish_reason=said.finish_reason
    )
    if reading.span and _HEDGED.match(said.text, reading.span[1], reading.span[1] + 80):
        reading = Reading(Status.UNPARSED, None, None, "commitment withdrawn")
    said._readings.append((form, reading))
    return reading


_HEDGED = re.compile(
    r"[)\].]?\s{0,2}\?|[\s,;]{1,3}(?:but|though|although)\s{1,3}(?:it\s|this\s)?"
    r"(?:could|might|may)\s{1,3}(?:also\s|well\s)?be\b",
    re.I,
)


def value_read(item: Item, completion: Completion | str) -> object | None:
    """The value read; None where nothing is parsed."""
    reading = read_answer(item, completion)
    return reading.value if reading.status is Status.PARSED else None


def thinking(completion: Completion | str) -> str:
    """What was thought apart from the answer; empty where nothing was, or only marks."""
    said = as_completion(completion)
    if said.reasoning and said.reasoning.strip():
        return said.reasoning[:LONGEST]
    whole = f"<think>{said.text}" if said.thinking_open else said.text
    region = answer_region(whole, finish_reason=said.finish_reason)
    passage = reasoning_passage(whole, finish_reason=said.finish_reason)
    if passage is None or (not region.reason and passage.start >= region.start):
        return ""
    return whole[passage.start : passage.end][:LONGEST]


def reasoned(item: Item, completion: Completion | str) -> str:
    """The reasoning: what was thought apart, else what stands around the answer."""
    said = as_completion(completion)
    apart = thinking(said)
    if apart:
        return apart
    passage = reasoning_passage(said.text, form=form_of(item), finish_reason=said.finish_reason)
    return "" if passage is None else said.text[passage.start : passage.end][:LONGEST]


def answer_text(completion: Completion | str) -> str:
    """The answer region; empty where there is none."""
    said = as_completion(completion)
    if said.thinking_open:
        region = answer_region(said.text, thinking_open=True, finish_reason=said.finish_reason)
        return "" if region.reason else said.text[region.start : region.end]
    passage = answer_passage(said.text, finish_reason=said.finish_reason)
    return "" if passage is None else said.text[passage.start : passage.end]


def sentences(text: str) -> list[str]:
    """Sentences of a text, in order; those said before are left out."""
    found: dict[str, None] = {}
    for start, end in split_units(text[:LONGEST], "sentences"):
        found.setdefault(" ".join(text[start:end].split()), None)
    return list(found)


def one_answer(target: Target | None) -> tuple[str, ...]:
    """Names of the one right answer of a text or a label; empty for other kinds."""
    if isinstance(target, Label):
        return (target.value,)
    return tuple(getattr(target, "references", ()))
