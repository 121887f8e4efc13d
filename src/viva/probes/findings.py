"""Findings added that mean nothing, and all findings taken away.

Taking one finding away is no probe here: whether the answer still stands without it is what only a
clinician can say. With the whole description gone, and a question left that says nothing of the
case, no option can be justified any more.
"""

from __future__ import annotations

import random
import re
from functools import cache, lru_cache
from typing import NamedTuple

from viva.probes._templates import load
from viva.probes._words import vocabulary
from viva.probes.sentences import sentences
from viva.probes.variant import (
    Probe,
    Reason,
    Refused,
    Relation,
    Variant,
    changed,
    refused,
    single_key,
)
from viva.records import Item

__all__ = [
    "PROBES",
    "Parted",
    "asks_nothing_else",
    "irrelevant_finding",
    "parted_question",
    "question_only",
]

_LEAST_WORDS = 12
"""Words of a description: below, there is hardly a case."""

_PATIENT = re.compile(
    r"\b(?:patient|man|woman|boy|girl|male|female|child|infant|newborn|neonate|gentleman|lady"
    r"|year[- ]old)\b",
    re.IGNORECASE,
)
# What a question about the case may say without a finding in it.
_ALLOWED = frozenset(
    """which one of the following these this patient patients s what is are was would be will most
    least likely probable appropriate best next initial first step steps in to for with by and or
    management managing manage treatment treating treat therapy pharmacotherapy diagnosis diagnostic
    diagnose test tests testing study studies evaluation evaluating evaluate workup intervention
    interventions approach course action recommended recommendation recommend additional further
    cause causes causing causal causative underlying etiology aetiology explanation explains explain
    mechanism findings finding symptoms symptom presentation condition illness disease disorder
    complaint complaints problem at time point his her him he she their child infant man woman boy
    girl should done perform performed order ordered obtain obtained confirm establish reach make
    making made a an that it suspect suspected suspect you your do describes describe currently now
    therapeutic option options strategy plan responsible clinical history agent organism pathogen
    drug medication medications choice immediate immediately current case primary definitive
    given considering based on above information""".split()
)
_DEICTIC = re.compile(
    r"\b(?:this|these|his|her|the) (?:patient|child|infant|man|woman|boy|girl|symptoms?|findings?"
    r"|condition|presentation|illness|disease|complaints?|case)\b"
    r"|\bdiagnosis\b|\bnext\b|\bmanagement\b|\bcausal|\bcausative|\bappropriate\b|\bsymptoms\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(r"\W*(?:It|They|This(?! patient)|These|Those|That|Such|Here)\b")
"""A question that points to the sentence before it, which must stay before it."""


class Parted(NamedTuple):
    """A question parted into its description and what is asked."""

    description: str
    """With the blank space before the question."""
    question: str
    """The last sentence, to the end of the text."""


def parted_question(text: str) -> Parted | None:
    """The description of a case and the question after it; None where there is one sentence."""
    spans = sentences(text)
    if len(spans) < 2:
        return None
    at = spans[-1][0]
    # A table has no stop at its end: the question is its last line.
    line = text.rstrip().rfind("\n", at)
    at = line + 1 if line >= 0 else at
    return Parted(text[:at], text[at:])


def asks_nothing_else(question: str) -> bool:
    """Whether a question points to a case and holds nothing of it: "the most likely diagnosis?"."""
    return vocabulary(question) <= _ALLOWED and _DEICTIC.search(question) is not None


def _case(item: Item) -> Parted | Reason:
    """The parts of an item that describes a patient."""
    key = single_key(item)
    if isinstance(key, Reason):
        return key
    parted = parted_question(item.question)
    if parted is None or parted.description.count(" ") < _LEAST_WORDS:
        return Reason.NO_VIGNETTE
    return parted if _PATIENT.search(parted.description) else Reason.NO_PATIENT


@cache
def _demand() -> tuple[str, ...]:
    return tuple(load("irrelevant_findings")["demand"]["stems"])


@cache
def _beginnings() -> frozenset[str]:
    """The first three letters of every word that some sentence avoids."""
    sentences_ = load("irrelevant_findings")["sentence"]
    return frozenset(a[:3] for s in sentences_ for a in s["avoid"])


@lru_cache(maxsize=1 << 17)
def _kind(word: str) -> tuple[bool, bool]:
    """Whether a word is about circumstances, and whether a sentence may have to avoid it."""
    return word.startswith(_demand()), word[:3] in _beginnings()


def irrelevant_finding(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """A sentence about the circumstances of the consultation put before the question.

    From ``templates/irrelevant_findings.toml``; refused where circumstances may be what is asked.
    """
    name = "findings.irrelevant"
    case = _case(item)
    if isinstance(case, Reason):
        return refused(item, name, case)
    if _POINTS_BACK.match(case.question):
        return refused(item, name, Reason.NO_WORDING)
    words = set(vocabulary(item.question))
    for option in item.options:
        words |= vocabulary(option)
    kinds = [(word, *_kind(word)) for word in words]
    if any(demand for _, demand, _ in kinds):
        return refused(item, name, Reason.BEARS_ON_ANSWER)
    avoided = [word for word, _, near in kinds if near]
    fitting = [
        s["text"]
        for s in load("irrelevant_findings")["sentence"]
        if not any(word.startswith(tuple(s["avoid"])) for word in avoided)
    ]
    if not fitting:
        return refused(item, name, Reason.NO_WORDING)
    put = fitting[int(rng.random() * len(fitting))]
    said = case.description.rstrip()
    # In a table, or after a line that is no sentence, the sentence gets a line of its own.
    between = " " if said.endswith((".", "!", "?", '"', "”")) and "\n" not in said[-60:] else "\n"
    space = case.description[len(said) :] or " "
    question = f"{said}{between}{put}{space}{case.question}"
    variant = changed(item, name, Relation.PRESERVING, question=question)
    return [Variant(variant, name, Relation.PRESERVING, note=put)]


def question_only(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The question without its description: no option can be justified from what is left.

    Refused where the last sentence holds anything of the case, or could be answered by itself. The
    variant has no key. How often a model still chooses the original's key, compared with chance,
    is the partial-input baseline: what the options give away.
    """
    del rng
    name = "findings.removed"
    case = _case(item)
    if isinstance(case, Reason):
        return refused(item, name, case)
    asked = case.question.strip()
    if item.context is not None or not asks_nothing_else(asked):
        return refused(item, name, Reason.ANSWERABLE_WITHOUT)
    if asked.count('"') % 2:  # of a quotation around the whole case
        asked = asked.strip('"')
    variant = changed(item, name, Relation.UNANSWERABLE, question=asked, target=None)
    return [Variant(variant, name, Relation.UNANSWERABLE, note="description removed")]


PROBES: dict[str, Probe] = {
    "findings.irrelevant": Probe(
        "adds a sentence about circumstances that mean nothing",
        Relation.PRESERVING,
        irrelevant_finding,
    ),
    "findings.removed": Probe(
        "leaves the question without its case", Relation.UNANSWERABLE, question_only
    ),
}
