"""Whether the answer follows from the reasoning: another model answers from it alone.

As MedReason (2504.00993) filters its chains: the conclusion is taken off, a model that sees the
question and the reasoning answers, and the example is kept where it comes to the same answer. The
options stand without letters in an order of their own, and letters in the reasoning are hidden,
so that nothing but the content can lead to the answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from viva.answers import form_of, read
from viva.errors import InputError
from viva.judging.quoting import quoted
from viva.judging.units import split_units
from viva.methods.prompts import render
from viva.records import LETTERS, Choice, Item, Status
from viva.synthesis._generated import (
    FAILED,
    NO_TARGET,
    judge,
    made,
    need_caller,
    own_prompt,
    parted,
    right_names,
    stepped,
)
from viva.synthesis.calling import Caller, Reply
from viva.synthesis.examples import Example, seeded
from viva.synthesis.steps import Dropped, Made

__all__ = ["answer_from_reasoning", "without_conclusion"]

NO_COMPLETION = "no completion"
NO_REASONING = "nothing is left without the conclusion"
OTHER_ANSWER = "another answer follows from the reasoning"
NO_ANSWER = "no answer follows from the reasoning"
WRONG_KIND = "an answer of this kind is not asked for in words"

_KINDS = frozenset({"choice", "text", "label", "number"})
_MARKER = re.compile(
    r"\b(?:therefore|thus|hence|so the|in conclusion|to conclude|in summary|overall|consequently|"
    r"final(?:ly)?|(?:the|my|best|correct|right) (?:\w+ ){0,2}(?:answer|choice|option|diagnosis)|"
    r"answer\s{0,2}[:=]|i (?:would )?(?:choose|select|pick|conclude))\b",
    re.IGNORECASE,
)
_FEWEST_WORDS = 5
_MOST_LAST, _SHORT = 2, 15
"""Last sentences, and words of one, that may be nothing but the answer."""


def without_conclusion(item: Item, reasoning: str) -> str:
    """Reasoning without the sentences that conclude, and without letters of options.

    From the end, sentences that announce an answer or commit to one are taken off; and wherever
    else one announces it.

    Parameters
    ----------
    item : Item
        With a target.
    reasoning : str

    Returns
    -------
    str
        Empty where nothing but conclusions is there.
    """
    form = form_of(item)
    spans = split_units(reasoning, "sentences")
    kept = []
    for start, end in spans:
        sentence = reasoning[start:end].strip()
        if not sentence:
            continue
        announced = _MARKER.search(sentence) is not None
        if announced and form is not None:
            reading = read(sentence, form)
            if reading.status is not Status.UNPARSED or _names_answer(item, sentence):
                continue
        kept.append(sentence)
    # The last sentence is often the answer itself, whatever its words.
    for _ in range(_MOST_LAST):
        if kept and len(kept[-1].split()) <= _SHORT and judge(item, kept[-1]).status == "right":
            kept.pop()
    text = " ".join(kept)
    return _hidden(text, len(item.options)) if item.options else text


def _names_answer(item: Item, sentence: str) -> bool:
    low = sentence.casefold()
    names = item.options or right_names(item)
    return any(name.casefold() in low for name in names if name.strip())


def _hidden(text: str, count: int) -> str:
    """Letters that name options are taken away, where they stand as letters of options."""
    last = LETTERS[max(0, min(count, len(LETTERS)) - 1)]
    letter = rf"[A-{last}a-{last.lower()}]"
    text = re.sub(
        rf"\b((?i:options?|answers?|choices?))\s{{1,2}}(?:\([A-{last}]\)|[A-{last}])(?!\w)",
        r"\1",
        text,
    )
    text = re.sub(rf"(?<!\w)\({letter}\)", "", text)
    text = re.sub(rf"(?:(?<=^)|(?<=[\n.;:]\s)|(?<=\n))\**[A-{last}][.):]\**\s", "", text)
    return " ".join(text.split())


def answer_from_reasoning(
    examples: Sequence[Example],
    *,
    samples: int = 1,
    least: float = 1.0,
    temperature: float | None = 0.0,
    prompt: str | None = None,
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Keep examples whose answer another model comes to from their reasoning alone.

    Parameters
    ----------
    examples : sequence of Example
        With completions that end in the right answer.
    samples : int
        Answers asked for; several need a temperature above 0.
    least : float
        Share of them that must be the key, above 0 to 1.
    temperature : float, optional
    prompt : str, optional
        Another prompt.
    seed : int
    caller : Caller
        Another model than the one that wrote.

    Returns
    -------
    Made
        ``scores`` gain ``from_reasoning``, the share.

    Raises
    ------
    InputError
        No model; a share out of range.
    """
    caller = need_caller(caller, "answer_from_reasoning")
    if not 0 < least <= 1:
        raise InputError(f"least is {least}", mend="Give a share above 0, up to 1")
    template = own_prompt("from_reasoning", prompt)
    settings: dict[str, Any] = {"samples": samples, "least": least, "temperature": temperature}
    dropped: list[Dropped] = []
    places, requests, shuffled = [], [], []
    for at, example in enumerate(examples):
        item = example.item
        reason, left = None, ""
        if item.target is None:
            reason = NO_TARGET
        elif not example.completion:
            reason = NO_COMPLETION
        elif (form := form_of(item)) is None or form.kind not in _KINDS:
            reason = WRONG_KIND
        else:
            parts = parted(Reply(example.start + example.completion), form)
            left = "" if parts is None else without_conclusion(item, parts[0])
            if len(left.split()) < _FEWEST_WORDS:
                reason = NO_REASONING
        if reason is not None:
            dropped.append(Dropped(example, reason))
            continue
        mixed = _mixed(example, seed)
        places.append(at)
        shuffled.append(mixed)
        requests.append(
            render(template, mixed, question_quoted=quoted(_asked(item), "question"),
                   options_quoted=_listed(mixed), reasoning_quoted=quoted(left, "reasoning"))
        )  # fmt: skip
    found = caller.replies(requests, samples=samples, temperature=temperature, seed=seed)
    kept: list[Example] = []
    told: Counter[str] = Counter()
    for at, item, draws in zip(places, shuffled, found, strict=True):
        said = [judge(item, one.text, one.finish_reason).status for one in draws if one.text]
        told.update(said)
        if not said:
            dropped.append(Dropped(examples[at], FAILED))
            continue
        share = said.count("right") / len(said)
        scored = stepped(
            examples[at], "answer_from_reasoning", settings, seed=seed, model=caller.spec,
            prompt_hash=template.hash,
            scores=dict(examples[at].scores) | {"from_reasoning": share},
        )  # fmt: skip
        if share >= least - 1e-9:
            kept.append(scored)
        else:
            unread = said.count("unread") == len(said)
            dropped.append(Dropped(scored, NO_ANSWER if unread else OTHER_ANSWER))
    return made(examples, kept, dropped, model=caller.spec, answers=dict(sorted(told.items())))


def _asked(item: Item) -> str:
    return item.question if item.context is None else f"{item.context}\n\n{item.question}"


def _mixed(example: Example, seed: int) -> Item:
    """The item with its options in another order: the letters of the original mean nothing."""
    item = example.item
    if not isinstance(item.target, Choice):
        return item
    order = list(range(len(item.options)))
    seeded(example, "answer_from_reasoning", seed).shuffle(order)
    return replace(
        item,
        options=tuple(item.options[i] for i in order),
        target=Choice(order.index(item.target.index)),
    )


def _listed(item: Item) -> str:
    return (
        quoted("\n".join(f"- {text}" for text in item.options), "options") if item.options else ""
    )
