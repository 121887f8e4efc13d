"""Names of diseases, drugs, symptoms and parts of the body, and how often a text names one."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from math import log1p

from viva.strata.text import Question, tokens

__all__ = ["KINDS", "mention_names", "mentions", "names"]

KINDS = ("disease", "drug", "symptom", "anatomy")
_NO_MENTION = (0,) * len(KINDS)

Begun = tuple[tuple[int, frozenset[str], tuple[int, ...]], ...]
"""Of names that begin with one word: (kind, names, numbers of words they have, longest first) per
kind."""


@cache
def names() -> dict[str, Begun]:
    """First word -> the names that begin with it. Names are lower-case tokens, space between;
    one-word names also stand with a plural s.

    Disease Ontology (CC0), Hetionet compounds, symptoms and anatomy (CC0), RABBITS generic and
    brand names (Apache-2.0).
    """
    packed = files("viva.strata").joinpath("weights/names.txt.gz").read_bytes()
    index: dict[str, dict[int, set[str]]] = {}
    for kind, section in enumerate(gzip.decompress(packed).decode().split("\n\n")):
        listed = [name for name in section.split("\n") if name]
        first = {name.split(" ", 1)[0] for name in listed}
        plural = [f"{name}s" for name in listed if " " not in name and f"{name}s" not in first]
        for name in listed + plural:
            index.setdefault(name.split(" ", 1)[0], {}).setdefault(kind, set()).add(name)
    return {
        word: tuple((kind, frozenset(found), _lengths(found)) for kind, found in kinds.items())
        for word, kinds in index.items()
    }


def _lengths(found: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({name.count(" ") + 1 for name in found}, reverse=True))


def _matches(words: list[str], index: dict[str, Begun]) -> Sequence[int]:
    """Mentions of each kind, longest name first, without overlap inside a kind."""
    at = [(i, index[word]) for i, word in enumerate(words) if word in index]
    if not at:
        return _NO_MENTION
    counts = [0] * len(KINDS)
    free = [0] * len(KINDS)
    n = len(words)
    for i, begun in at:
        for kind, known, lengths in begun:
            if i < free[kind]:
                continue
            for k in lengths:
                name = words[i] if k == 1 else " ".join(words[i : i + k])
                if i + k <= n and name in known:
                    counts[kind] += 1
                    free[kind] = i + k
                    break
    return counts


def _kinds_of(words: list[str], index: dict[str, Begun]) -> list[int]:
    """The kinds of which the words are, together, one name."""
    begun = index.get(words[0]) if words else None
    if begun is None:
        return []
    name = " ".join(words)
    return [kind for kind, known, _ in begun if name in known]


def mention_names(*, options: bool) -> tuple[str, ...]:
    """Names of the features of :func:`mentions`, in order."""
    places = ["body", "ask", "before ask"] + (["options", "whole options"] if options else [])
    return tuple(f"{kind} in {place}" for kind in KINDS for place in places)


def mentions(q: Question, *, options: bool) -> list[float]:
    """How often the body, the asking sentence and the sentence before it name something of each
    kind; the share of options that do, and of those that are nothing but such a name.
    """
    index = names()
    body, ask = _matches(q.body_words, index), _matches(q.ask_words, index)
    before = _matches(tokens(q.body.rstrip(" .?!\n").rpartition(". ")[2]), index)
    split = q.option_words if options else []
    n = max(len(split), 1)
    naming, names_alone = [0] * len(KINDS), [0] * len(KINDS)
    for words in split:
        for kind, count in enumerate(_matches(words, index)):
            naming[kind] += count > 0
        for kind in _kinds_of(words, index):
            names_alone[kind] += 1
    found: list[float] = []
    for kind in range(len(KINDS)):
        found += [log1p(body[kind]), float(ask[kind]), float(before[kind])]
        if options:
            found += [naming[kind] / n, names_alone[kind] / n]
    return found
