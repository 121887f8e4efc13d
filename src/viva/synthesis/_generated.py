"""What the generating steps share: prompts, readings, provenance, and counts for their reports."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.answers import form_of, read
from viva.answers.region import answer_region
from viva.errors import InputError
from viva.judging.quoting import quoted
from viva.judging.units import reasoning_passage
from viva.methods.prompts import Prompt, load_prompt
from viva.records import LETTERS, Choice, Item, Status
from viva.scoring import find_metric, metrics_of, score_item
from viva.synthesis.examples import Example, Provenance
from viva.synthesis.steps import Dropped, Made
from viva.targets import Label, Text

if TYPE_CHECKING:
    from viva.answers import Form
    from viva.synthesis.calling import Caller, Reply

__all__ = [
    "FAILED",
    "NO_TARGET",
    "Judged",
    "answer_named",
    "answer_part",
    "asked_in_full",
    "check_share",
    "judge",
    "made",
    "need_caller",
    "own_prompt",
    "parted",
    "plain",
    "right_names",
    "stepped",
    "thought_then_answer",
]

FAILED = "the call failed"
NO_TARGET = "no target to judge by"

_FOLDER = Path(__file__).parent / "prompts"


def own_prompt(name: str, given: str | os.PathLike[str] | None = None) -> Prompt:
    """The prompt of a step by its name, or the user's file in its place.

    Raises
    ------
    InputError
        A file that cannot be read or is no template.
    """
    if given is not None:
        return load_prompt(given)
    # Its place is nobody's business: only its name and hash go into records.
    return load_prompt(_FOLDER / f"{name}.jinja")


def need_caller(caller: Caller | None, step: str) -> Caller:
    """The caller; InputError where a step that asks a model has none."""
    if caller is None:
        raise InputError(f"the step {step} asks a model", mend="Name one with --model")
    return caller


def check_share(name: str, value: float) -> None:
    """Raise InputError for a number outside 0..1."""
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value}", mend="Give a number from 0 to 1")


class Judged(NamedTuple):
    """What a completion answers, against the item's key."""

    status: str
    """``right``, ``wrong`` or ``unread``."""
    value: Any = None
    """The value read; None where unread."""
    reason: str | None = None
    """Why it is unread."""


def judge(item: Item, text: str | None, finish_reason: str | None = None) -> Judged:
    """Read a completion by the shared reader, and score it by the item's first metric.

    Parameters
    ----------
    item : Item
        With a target.
    text : str or None
    finish_reason : str, optional

    Returns
    -------
    Judged
        Right where the metric gives 1; texts are right where they are one of the references.
    """
    form = form_of(item)
    if form is None:
        raise InputError(NO_TARGET, where=f"{item.benchmark}/{item.item_id}")
    reading = read(text, form, finish_reason=finish_reason)
    if reading.status is not Status.PARSED:
        return Judged("unread", None, reading.reason)
    name = "exact_match" if isinstance(item.target, Text) else metrics_of(item)[0]
    value = score_item(item, reading, find_metric(name)).value
    return Judged("right" if value is not None and value >= 1 else "wrong", reading.value)


def parted(reply: Reply, form: Form | None = None) -> tuple[str, str] | None:
    """The reasoning and the answer of a reply; None where it has no answer region.

    Reasoning that was not thought apart is all that stands before the last line.
    """
    text = reply.text or ""
    region = answer_region(text, finish_reason=reply.finish_reason)
    if region.reason:
        return None
    answer = text[region.start : region.end].strip()
    passage = reasoning_passage(text, form=form, finish_reason=reply.finish_reason)
    if passage is None:
        return "", answer
    reasoning = text[passage.start : passage.end].strip()
    if passage.start < region.start:
        return reasoning, answer
    # One text: what is not reasoning is the conclusion.
    rest = (text[region.start : passage.start] + text[passage.end : region.end]).strip()
    return reasoning, rest or answer


def answer_part(text: str, finish_reason: str | None = None) -> str:
    """The answer region of a reply; empty where there is none."""
    region = answer_region(text, finish_reason=finish_reason)
    return "" if region.reason else text[region.start : region.end].strip()


def asked_in_full(item: Item) -> str:
    """The question with its context and its options under letters, between marks."""
    said = item.question if item.context is None else f"{item.context}\n\n{item.question}"
    listed = [f"{letter}. {text}" for letter, text in zip(LETTERS, item.options, strict=False)]
    return quoted("\n".join([said, *([""] if listed else []), *listed]), "question")


def thought_then_answer(reasoning: str, answer: str, thinking: str) -> str:
    """A completion of reasoning and answer: in ``tags``, or in one text (``none``).

    Raises
    ------
    InputError
        For another value of ``thinking``.
    """
    if thinking == "tags":
        return f"<think>\n{reasoning.strip()}\n</think>\n\n{answer.strip()}"
    if thinking == "none":
        return f"{reasoning.strip()}\n\n{answer.strip()}" if reasoning.strip() else answer.strip()
    raise InputError(f"thinking is {thinking!r}", mend="Give tags or none")


def right_names(item: Item) -> tuple[str, ...]:
    """Names of the one right answer of a choice, a text or a label; empty for other kinds."""
    match item.target:
        case Choice(index):
            return (item.options[index],) if index < len(item.options) else ()
        case Text(references):
            return references
        case Label(value):
            return (value,)
    return ()


def answer_named(item: Item) -> str | None:
    """The last line of a right completion, ``Answer: ...``; None for kinds that have no one."""
    if isinstance(item.target, Choice):
        return f"Answer: {LETTERS[item.target.index]}"
    names = right_names(item)
    return f"Answer: {names[0]}" if names else None


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as provenance holds them: plain JSON values, nothing that was left out."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if value is None:
            continue
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        elif isinstance(value, (set, frozenset)):
            value = sorted(value)
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        elif not isinstance(value, (str, int, float, bool, list)):
            value = type(value).__name__
        found[name] = value
    return found


def stepped(
    example: Example,
    step: str,
    settings: Mapping[str, Any],
    *,
    seed: int | None = None,
    model: str | None = None,
    prompt_hash: str | None = None,
    **changes: Any,
) -> Example:
    """The example after a step: changed, and its provenance longer by one."""
    done = Provenance(step, plain(settings), model, prompt_hash, seed)
    return replace(example, provenance=(*example.provenance, done), **changes)


def made(
    examples: Sequence[Example], kept: list[Example], dropped: list[Dropped], **told: Any
) -> Made:
    """What a step made, with a report that counts inputs, examples and reasons for each source."""
    sources: dict[str, dict[str, Any]] = {
        source: {"in": count, "kept": 0, "dropped": {}}
        for source, count in sorted(Counter(one.source for one in examples).items())
    }
    for one in kept:
        sources[one.source]["kept"] += 1
    for one, reason in dropped:
        counts = sources[one.source]["dropped"]
        counts[reason] = counts.get(reason, 0) + 1
    report = {
        "in": len(examples),
        "kept": len(kept),
        "dropped": _counted(reason for _, reason in dropped),
        "sources": sources,
        **told,
    }
    return Made(kept, dropped, report)


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
