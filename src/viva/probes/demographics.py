"""Counterfactual patients: another gender, another age, an ethnicity, and nothing else changed.

An attribute is changed only where a rule finds the patient, can change every word that depends on
the attribute, and sees nothing for which the attribute may matter (``templates/attributes.toml``).
Everything else is refused: a patient of the other sex with the same prostate is no counterfactual.
"""

from __future__ import annotations

import random
import re
from functools import cache, lru_cache, partial
from typing import NamedTuple

from viva.probes._templates import load
from viva.probes._words import article, cased, vocabulary
from viva.probes.pronouns import SWAPPED, gendered, swapped
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

__all__ = ["AGE_BANDS", "ETHNICITIES", "PROBES", "age", "ethnicity", "gender"]

ETHNICITIES = ("Asian", "Black", "Hispanic", "White")
"""What is put before the noun of a patient, ascending."""

AGE_BANDS = ((20, 39), (40, 49), (50, 64), (65, 79))
"""An age is changed inside its band, so that no threshold of a guideline lies between."""

_SMALLEST_STEP = 3
"""Years by which an age is changed at least."""
_FIRST = 15
"""Age below which no adult habit or history in years begins."""

_NOUN = (
    r",? (?P<noun>man|woman|boy|girl|gentleman|lady|male|female)\b"
    r"(?! (?:sex|gender|patients|partners?|relatives?|physician|doctor|nurse|friend|students?))"
)
_AGED = re.compile(
    r"(?:\b\d{1,3}[- ]*(?:year|yr|month|week|day)s?[-. ]*(?:old|of age)?\b"
    r"|\b(?:elderly|young|middle[- ]aged|adult|newborn)\b)"
    rf"(?P<between>(?:,? [\w'’-]+){{0,4}}?){_NOUN}",
    re.IGNORECASE,
)
_AGELESS = re.compile(
    rf"(?:\A|\. )(?:an?|this)(?P<between>(?: [\w'’-]+){{0,2}}?){_NOUN}", re.IGNORECASE
)
_YEARS_OLD = re.compile(r"\b(\d{1,3})([- ]*)(year|yr)s?([- ]*old)\b", re.IGNORECASE)
_YEARS = re.compile(r"\b(\d{1,3})[- ](?:pack[- ])?years?\b", re.IGNORECASE)
_AGO = re.compile(
    r"\b(?:at (?:the )?age|since (?:he|she) was|when (?:he|she) was)\b", re.IGNORECASE
)
_MALE_NOUNS = frozenset("man boy gentleman male".split())


class _Patient(NamedTuple):
    noun: re.Match[str]
    male: bool


@cache
def _rules(attribute: str) -> tuple[tuple[str, ...], frozenset[str], tuple[str, ...]]:
    lists = load("attributes")[attribute]
    return tuple(lists["stems"]), frozenset(lists["words"]), tuple(lists["phrases"])


@lru_cache(maxsize=1 << 17)
def _bears(attribute: str, word: str) -> bool:
    stems, words, _ = _rules(attribute)
    return word in words or word.startswith(stems)


def _relevant(item: Item, attribute: str) -> bool:
    """Whether the attribute may bear on the answer, by the words of the item."""
    texts = (item.question, *item.options, item.context or "")
    if any(_bears(attribute, word) for text in texts for word in vocabulary(text)):
        return True
    phrases = _rules(attribute)[2]
    lower = "\n".join(texts).lower()
    return any(phrase in lower for phrase in phrases)


def _found(item: Item) -> _Patient | Reason:
    """The patient that an item describes, where it describes exactly one."""
    key = single_key(item)
    if isinstance(key, Reason):
        return key
    lower = item.question.lower()
    if not ("man" in lower or "male" in lower or any(n in lower for n in ("boy", "girl", "lady"))):
        return Reason.NO_PATIENT  # most items, told at once
    found = _AGED.search(item.question) or _AGELESS.search(item.question)
    if found is None:
        return Reason.NO_PATIENT
    if item.context is not None and gendered(item.context):
        return Reason.OTHER_PERSON
    return _Patient(found, found["noun"].lower() in _MALE_NOUNS)


def gender(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The patient's gender swapped: noun, pronouns, and the gender of a partner with them."""
    del rng
    name = "demographics.gender"
    patient = _found(item)
    if isinstance(patient, Reason):
        return refused(item, name, patient)
    if any(gendered(option) for option in item.options):
        return refused(item, name, Reason.IN_OPTIONS)
    if _relevant(item, "gender"):
        return refused(item, name, Reason.BEARS_ON_ANSWER)
    question = swapped(item.question, male=patient.male)
    if question is None:
        return refused(item, name, Reason.OTHER_PERSON)
    noun = patient.noun["noun"].lower()
    variant = changed(
        item,
        name,
        Relation.PRESERVING,
        question=question,
        meta={**item.meta, "gender": "female" if patient.male else "male"},
    )
    note = f"{noun} -> {SWAPPED[noun]}"
    return [Variant(variant, name, Relation.PRESERVING, note=note)]


def age(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The patient's age changed inside its band (:data:`AGE_BANDS`)."""
    name = "demographics.age"
    patient = _found(item)
    if isinstance(patient, Reason):
        return refused(item, name, patient)
    stated = list(_YEARS_OLD.finditer(item.question))
    if not stated:
        return refused(item, name, Reason.NO_PATIENT)
    if len(stated) > 1 or not patient.noun.start() <= stated[0].start() < patient.noun.end():
        return refused(item, name, Reason.OTHER_PERSON)
    now = int(stated[0][1])
    band = next((b for b in AGE_BANDS if b[0] <= now <= b[1]), None)
    if band is None or _AGO.search(item.question) or _relevant(item, "age"):
        return refused(item, name, Reason.BEARS_ON_ANSWER)
    rest = item.question[: stated[0].start()] + item.question[stated[0].end() :]
    longest = max((int(years) for years in _YEARS.findall(rest)), default=0)
    ages = [
        a
        for a in range(band[0], band[1] + 1)
        if abs(a - now) >= _SMALLEST_STEP and (a > now or a - longest >= _FIRST)
    ]
    if not ages:
        return refused(item, name, Reason.BEARS_ON_ANSWER)
    new = ages[int(rng.random() * len(ages))]
    before = item.question[: stated[0].start()]
    question = article(before, str(new)) + str(new) + item.question[stated[0].end(1) :]
    variant = changed(
        item, name, Relation.PRESERVING, question=question, meta={**item.meta, "age": new}
    )
    return [Variant(variant, name, Relation.PRESERVING, note=f"{now} -> {new} years")]


def ethnicity(item: Item, rng: random.Random, *, group: str) -> list[Variant] | Refused:
    """An ethnicity put before the noun of a patient of whom none is said.

    Parameters
    ----------
    item : Item
        The original.
    rng : random.Random
        Not used: nothing is drawn.
    group : str
        One of :data:`ETHNICITIES`.
    """
    del rng
    name = f"demographics.ethnicity.{group.lower()}"
    patient = _found(item)
    if isinstance(patient, Reason):
        return refused(item, name, patient)
    between = patient.noun["between"].lower().split()
    if "white" in between or "black" in between:
        return refused(item, name, Reason.NAMED_ALREADY)
    if _relevant(item, "ethnicity"):
        return refused(item, name, Reason.BEARS_ON_ANSWER)
    at = patient.noun.start("noun")
    before = item.question[:at]
    put = cased(group, item.question[at : patient.noun.end("noun")])
    question = f"{article(before, put)}{put} {item.question[at:]}"
    variant = changed(
        item, name, Relation.PRESERVING, question=question, meta={**item.meta, "ethnicity": group}
    )
    noun = patient.noun["noun"]
    return [Variant(variant, name, Relation.PRESERVING, note=f"{noun} -> {put} {noun}")]


PROBES: dict[str, Probe] = {
    "demographics.gender": Probe(
        "swaps the patient's gender, where it cannot matter", Relation.PRESERVING, gender
    ),
    "demographics.age": Probe(
        "changes the patient's age inside a band of adult ages, where it cannot matter",
        Relation.PRESERVING,
        age,
    ),
    **{
        f"demographics.ethnicity.{group.lower()}": Probe(
            f"says that the patient is {group}, where nothing is said of it and it cannot matter",
            Relation.PRESERVING,
            partial(ethnicity, group=group),
        )
        for group in ETHNICITIES
    },
}
