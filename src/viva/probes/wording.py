"""The same question in other words, and with slips of the keyboard."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from viva.probes._templates import load
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

__all__ = ["PROBES", "paraphrase", "slips", "typos"]

_WORDS_FOR_A_TYPO = 15
_MOST_TYPOS = 6

_LOWER = re.compile(r"(?<![\w'’-])[a-z]{5,}(?![\w'’-])")

_REAL = frozenset(
    """abut agin bean bing binging bought brig brigs canges ding dong fees fels fiend fins fond
    fried fund gong heath hers kown latter noes nots paced paces patent planed presets
    sates seeing sees sill sine sown sows staring stars stated stating stats though tied
    tired tose trough unite util vist waking wile wold yeas""".split()
)
"""Words that a slip must not make: they would say something else."""


class _Rule(NamedTuple):
    word: str
    find: re.Pattern[str]
    put: tuple[str, ...]


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(
        _Rule(rule["word"], re.compile(rule["find"]), tuple(rule["put"]))
        for rule in load("paraphrases")["rule"]
    )


def paraphrase(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The question in other words, by the rules of ``templates/paraphrases.toml``."""
    name = "wording.paraphrase"
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    text = item.question
    held = [rule for rule in _rules() if rule.word in text]
    done: list[str] = []
    for rule in held:
        put = rule.put[int(rng.random() * len(rule.put))]
        first = rule.find.search(text)
        # What an earlier rule wrote is not rewritten back.
        if first is None or any(first[0] in made for made in done):
            continue
        done.append(first.expand(put))
        text = rule.find.sub(put, text)
    if text == item.question:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    variant = changed(item, name, Relation.PRESERVING, question=text)
    return [Variant(variant, name, Relation.PRESERVING, note=f"{len(done)} rewritten")]


@cache
def _common() -> frozenset[str]:
    path = Path(__file__).parent / "templates" / "common_words.txt"
    return frozenset(w for w in path.read_text("utf-8").split() if len(w) >= 5)


@cache
def slips(word: str) -> tuple[str, ...]:
    """What a word becomes by one slip inside it: two letters changed over, one lost, one doubled.

    Never a word that says something else; the first letter and the last stay.
    """
    inside = range(1, len(word) - 1)
    made = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in inside[:-1]}
    made |= {word[:i] + word[i + 1 :] for i in inside}
    made |= {word[:i] + word[i] + word[i:] for i in inside}
    return tuple(sorted(made - {word} - _REAL - _common()))


def typos(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """Slips of the keyboard in common words of the question, about one in fifteen words.

    Only the words of ``templates/common_words.txt`` are touched, in lower case and by themselves:
    no number, unit, negation, drug, disease or finding is among them. Options keep theirs.
    """
    name = "wording.typos"
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    common = _common()
    places = [found.span() for found in _LOWER.finditer(item.question) if found[0] in common]
    if not places:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    wanted = round(item.question.count(" ") / _WORDS_FOR_A_TYPO)
    count = max(1, min(wanted, _MOST_TYPOS, len(places)))
    text, notes = item.question, []
    for start, end in sorted(rng.sample(places, count), reverse=True):
        word = text[start:end]
        made = slips(word)
        new = made[int(rng.random() * len(made))]
        notes.append(f"{word} -> {new}")
        text = text[:start] + new + text[end:]
    variant = changed(item, name, Relation.PRESERVING, question=text)
    return [Variant(variant, name, Relation.PRESERVING, note=", ".join(reversed(notes)))]


PROBES: dict[str, Probe] = {
    "wording.paraphrase": Probe(
        "says the question in other words", Relation.PRESERVING, paraphrase
    ),
    "wording.typos": Probe(
        "puts slips of the keyboard into common words of the question",
        Relation.PRESERVING,
        typos,
    ),
}
