"""Multiple choice to open questions: the stem must stand without its options.

As HuatuoGPT-o1 (2412.18925) makes verifiable problems of examination questions. Stems that ask
for the one thing ("the most likely diagnosis") are reworded by rule; stems that need their options
("which is true", "except", "a cause of") are refused, or put to a model and checked. The vignette
stays word for word: only the sentence that asks is ever reworded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from viva.judging.quoting import quoted
from viva.judging.verdicts import read_verdict
from viva.methods.prompts import render
from viva.probes.distractors import speaks_of_others
from viva.probes.sentences import sentences
from viva.records import Choice, Item
from viva.scoring.words import normalised, words
from viva.synthesis._generated import FAILED, made, need_caller, own_prompt, stepped
from viva.synthesis.calling import Caller
from viva.synthesis.examples import Example
from viva.synthesis.steps import Dropped, Made
from viva.targets import Text

__all__ = ["REFUSED", "mcq_to_open", "names_of", "reworded"]

NO_CHOICE = "not a choice with one key"
NEGATED = "the stem asks for an exception"
STATEMENTS = "the stem asks which statement holds"
NOT_UNIQUE = "several answers would be right without the options"
NO_QUESTION = "no sentence that asks"
NAMES_OPTIONS = "the stem speaks of its options"
KEY_SPEAKS = "the key speaks of other options"
KEY_LONG = "the key is a statement, not a name"
KEY_IN_STEM = "the stem names the key"
MODEL_DECLINED = "the model finds it cannot be asked openly"
MODEL_BROKEN = "the model's question does not pass the checks"
REFUSED = (
    NO_CHOICE, NEGATED, STATEMENTS, NOT_UNIQUE, NO_QUESTION, NAMES_OPTIONS, KEY_SPEAKS, KEY_LONG,
    KEY_IN_STEM, MODEL_DECLINED, MODEL_BROKEN, FAILED,
)  # fmt: skip
"""Why an item is not asked openly."""

_FOR_A_MODEL = frozenset({STATEMENTS, NOT_UNIQUE, NAMES_OPTIONS, NO_QUESTION})
"""Refusals by rule that a model may know a way around."""

_LONGEST_KEY = 10
"""Words of a key that is a name."""
_LONGEST_QUESTION = 600

_NEGATED = re.compile(
    r"\b(?:except(?:ing)?|but not|NOT|not|least|false|incorrect|untrue|never|exclud\w+|"
    r"contraindicated|isn't|doesn't|neither|cannot)\b"
)
_STATEMENT = re.compile(
    r"\b(?:statements?|true|correct(?:ly)?|accurate|assertions?|following (?:pairs?|combinations?)|"
    r"match(?:es|ed)?)\b",
    re.IGNORECASE,
)
_TRUE = re.compile(
    r"\bfollowing statements?\b|\b(?:is|are) (?:true|correct|accurate)\b", re.IGNORECASE
)
_SUPERLATIVE = (
    r"(?:most|best|first|next|single|primary|main|major|leading|underlying|initial|definitive|"
    r"causative|likely|probable|commonest|preferred|appropriate|optimal|earliest|strongest|greatest|"
    r"highest|lowest|correct|right|diagnosis|treatment|drug|test|organism|pathogen|mechanism|cause|"
    r"nerve|artery|vein|muscle|enzyme|gene|vitamin|hormone|\w+est)"
)
_FOLLOWING = re.compile(
    r"\b(?P<lead>which|what)(?: one)? (?:of|among) (?:the |these )?(?:following|below)"
    r"(?: options| choices| answers)?,? "
    r"(?P<verb>is|was|are|were|would be|will be|represents|would represent|constitutes|"
    r"should be|could be) "
    rf"(?P<rest>(?:most likely |probably )?the (?:(?:\w|-)+ ){{0,3}}?{_SUPERLATIVE}\b)",
    re.IGNORECASE,
)
_BEST = re.compile(
    r"\b(?:which|what)(?: one)? (?:of|among) (?:the |these )?(?:following|below)"
    r"(?: options| choices| answers)?,? (?P<rest>(?:best|most likely|most strongly|most directly|"
    r"would best|would most likely|will most likely|is most likely|is best|is most) )",
    re.IGNORECASE,
)
_OPTIONS = re.compile(
    r"\b(?:following|options?|choices?|alternatives?|below|listed|these|any of|one of|answers?)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:what|which|who|whom|whose|where|when|how (?:much|many|long|often|old|far))\b", re.I
)
_INDEFINITE = re.compile(
    r"\b(?:is|are|was|were|be|can|may|might|could) (?:also )?(?:an?|associated|used|seen|found|"
    r"included|known|caused|involved)\b|\b(?:an? (?:cause|feature|sign|symptom|complication|"
    r"example|component|side effect|risk factor))\b",
    re.IGNORECASE,
)
_DEFINITE = re.compile(
    rf"\bthe (?:(?:\w|-)+ ){{0,3}}?{_SUPERLATIVE}\b|\b(?:most|best|first)\b", re.I
)


def names_of(option: str) -> tuple[str, ...]:
    """Names of an option's text: the whole, and for ``Name (other)`` each of the two.

    Examples
    --------
    >>> names_of("Paracetamol (acetaminophen)")
    ('Paracetamol (acetaminophen)', 'Paracetamol', 'acetaminophen')
    """
    text = " ".join(option.split()).rstrip(" .;,")
    found = re.fullmatch(r"([^()]{2,80}) \(([^()]{2,60})\)", text)
    if found is None:
        return (text,)
    inside = found[2].strip()
    # What stands in brackets may be a remark instead of a name.
    named = bool(re.match(r"[A-Za-z]", inside)) and len(inside.split()) <= 4 and "," not in inside
    return (text, found[1].strip(), *((inside,) if named else ()))


def reworded(item: Item) -> tuple[str, str | None]:
    """The question without its options, by rule.

    Parameters
    ----------
    item : Item
        A choice with one key.

    Returns
    -------
    (str, str or None)
        The question, and None; or the sentence that asks, and why it is refused.
    """
    spans = sentences(item.question)
    ends = [item.question[a:b].rstrip(" \"\u201d'") for a, b in spans]
    asking = [at for at, sentence in enumerate(ends) if sentence.endswith("?")]
    if not asking or not _ASKS.search(ends[asking[-1]]):
        return item.question[slice(*spans[-1])] if spans else "", NO_QUESTION
    start, end = spans[asking[-1]]
    said, after = item.question[start:end], item.question[end:]
    if _NEGATED.search(said):
        return said, NEGATED
    if _TRUE.search(said):
        return said, STATEMENTS
    new = _FOLLOWING.sub(lambda m: f"{_what(m)} {m['verb']} {m['rest']}", said)
    new = _BEST.sub(lambda m: f"{_what(m)} {m['rest']}", new)
    if _OPTIONS.search(new) or _OPTIONS.search(after):
        return said, STATEMENTS if _STATEMENT.search(new) else NAMES_OPTIONS
    if _INDEFINITE.search(new) and not _DEFINITE.search(new):
        return said, NOT_UNIQUE
    return item.question[:start] + new + after, None


def _what(found: re.Match[str]) -> str:
    return "What" if found[0][0].isupper() else "what"


def mcq_to_open(
    examples: Sequence[Example],
    *,
    unique: bool = False,
    prompt: str | None = None,
    unique_prompt: str | None = None,
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Ask choices as open questions whose answer is the key's text.

    Parameters
    ----------
    examples : sequence of Example
        A completion that is there speaks of letters, and is left out.
    unique : bool
        Whether a model is asked if the open question has one answer; needs a caller.
    prompt, unique_prompt : str, optional
        Other prompts: for rewording, for the check.
    seed : int
    caller : Caller, optional
        Rewords what the rules refuse and a model may do; without one it is dropped.

    Returns
    -------
    Made
        Items with a target Text, without options; ``meta`` keeps ``options`` and ``key``. The
        names in ``meta["aliases"]`` count too.

    Raises
    ------
    InputError
        ``unique`` without a model.
    """
    if unique:
        need_caller(caller, "mcq_to_open with unique")
    settings: dict[str, Any] = {"unique": unique}
    dropped: list[Dropped] = []
    found: dict[int, tuple[str, str, str | None]] = {}
    pending: list[tuple[int, str]] = []
    for at, example in enumerate(examples):
        reason = _unfit(example.item)
        if reason is None:
            question, reason = reworded(example.item)
            if reason is None:
                reason = _leak(example.item, question)
            if reason is None:
                found[at] = question, "rule", None
                continue
            if reason in _FOR_A_MODEL and caller is not None:
                pending.append((at, question))
                continue
        dropped.append(Dropped(example, reason))
    template = own_prompt("open_question", prompt)
    if pending and caller is not None:
        asked = [
            render(template, examples[at].item,
                   vignette=quoted(_before(examples[at].item, said), "case"),
                   asking=quoted(said, "question"), key=quoted(_key(examples[at].item), "answer"))
            for at, said in pending
        ]  # fmt: skip
        for (at, said), (reply,) in zip(pending, caller.replies(asked, seed=seed), strict=True):
            item = examples[at].item
            given = _question_of(reply.text, item, said)
            if given in REFUSED:
                dropped.append(Dropped(examples[at], given))
            else:
                found[at] = given, "model", template.hash
    if unique and caller is not None:
        for at, reason in _not_unique(examples, found, caller, unique_prompt, seed).items():
            del found[at]
            dropped.append(Dropped(examples[at], reason))
    kept = []
    for at, (question, by, prompt_hash) in sorted(found.items()):
        item = examples[at].item
        names = dict.fromkeys(
            name for text in (_key(item), *_aliases(item)) for name in names_of(text)
        )
        meta = dict(item.meta) | {"options": list(item.options), "key": _index(item)}
        opened = replace(item, question=question, options=(), target=Text(tuple(names)), meta=meta)
        kept.append(
            stepped(
                examples[at], "mcq_to_open", settings | {"by": by}, seed=seed,
                model=caller.spec if by == "model" and caller else None, prompt_hash=prompt_hash,
                item=opened, completion=None, rejected=None, start="", start_kind=None,
            )
        )  # fmt: skip
    by_rule = sum(by == "rule" for _, by, _ in found.values())
    return made(examples, kept, dropped, by_rule=by_rule, by_model=len(found) - by_rule,
                model=None if caller is None else caller.spec)  # fmt: skip


def _index(item: Item) -> int:
    assert isinstance(item.target, Choice)
    return item.target.index


def _key(item: Item) -> str:
    return item.options[_index(item)]


def _aliases(item: Item) -> list[str]:
    given = item.meta.get("aliases")
    return [name for name in given if isinstance(name, str)] if isinstance(given, list) else []


def _unfit(item: Item) -> str | None:
    """Why no wording could help."""
    if not isinstance(item.target, Choice) or not 0 <= item.target.index < len(item.options):
        return NO_CHOICE
    key = _key(item)
    if speaks_of_others(key):
        return KEY_SPEAKS
    if not normalised(key) or len(key.split()) > _LONGEST_KEY:
        return KEY_LONG
    return None


def _leak(item: Item, question: str) -> str | None:
    """Whether the open question names its own answer."""
    said = _spaced(question)
    named = any(_spaced(name) in said for name in names_of(_key(item)) if words(name))
    return KEY_IN_STEM if named else None


def _spaced(text: str) -> str:
    return f" {' '.join(words(text))} "


def _before(item: Item, said: str) -> str:
    """The vignette: all but the sentence that asks."""
    return item.question.replace(said, " ", 1).strip() or "(none)"


def _question_of(reply: str | None, item: Item, said: str) -> str:
    """The model's question behind the vignette, or why it is refused."""
    if reply is None:
        return FAILED
    entries = read_verdict(reply, "list").value
    if not isinstance(entries, (list, tuple)):
        return MODEL_BROKEN
    if len(entries) == 0:
        return MODEL_DECLINED
    asking = " ".join(str(entries[0].get("text", "")).split())
    if len(entries) > 1 or not asking.endswith("?") or len(asking) > _LONGEST_QUESTION:
        return MODEL_BROKEN
    if _OPTIONS.search(asking) or _NEGATED.search(asking) or not _ASKS.search(asking):
        return MODEL_BROKEN
    question = item.question.replace(said, asking, 1) if said else asking
    if _leak(item, question):
        return MODEL_BROKEN
    spoken, before = _spaced(asking), _spaced(item.question)
    for option in item.options:
        name = _spaced(option)
        if len(name) > 4 and name in spoken and name not in before:
            return MODEL_BROKEN
    return question


def _not_unique(
    examples: Sequence[Example],
    found: dict[int, tuple[str, str, str | None]],
    caller: Caller,
    prompt: str | None,
    seed: int,
) -> dict[int, str]:
    """Of the open questions, those that a model does not find to have one answer."""
    template = own_prompt("one_answer", prompt)
    places = sorted(found)
    asked = [
        render(template, examples[at].item, asking=quoted(found[at][0], "question"),
               key=quoted(_key(examples[at].item), "answer"))
        for at in places
    ]  # fmt: skip
    refused = {}
    for at, (reply,) in zip(places, caller.replies(asked, seed=seed), strict=True):
        if reply.text is None:
            refused[at] = FAILED
        elif read_verdict(reply.text, "label", ("yes", "no")).value != "yes":
            refused[at] = NOT_UNIQUE
    return refused
