"""Names of diseases, drugs, symptoms and parts of the body, and how often a text names one."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from viva.strata.text import Question, tokens

__all__ = ["KINDS", "mention_names", "mentions", "names"]

KINDS = ("disease", "drug", "symptom", "anatomy")
_LONGEST_NAME = 5
"""Words of a name that are looked at."""


@cache
def names() -> tuple[dict[str, dict[str, int]], ...]:
    """Per kind: first word -> {name: number of words}. Names are lower-case tokens, space between.

    Disease Ontology (CC0), Hetionet compounds, symptoms and anatomy (CC0), RABBITS generic and
    brand names (Apache-2.0).
    """
    packed = files("viva.strata").joinpath("weights/names.txt.gz").read_bytes()
    found: list[dict[str, dict[str, int]]] = []
    for section in gzip.decompress(packed).decode().split("\n\n"):
        index: dict[str, dict[str, int]] = {}
        for name in section.split("\n"):
            if name:
                index.setdefault(name.split(" ", 1)[0], {})[name] = name.count(" ") + 1
        found.append(index)
    return tuple(found)


def _matches(words: list[str], index: dict[str, dict[str, int]]) -> int:
    """Mentions of a kind, longest name first, without overlap; a plural s is ignored."""
    count = i = 0
    n = len(words)
    while i < n:
        word = words[i]
        begun = index.get(word)
        step = 1
        if begun is not None:
            for k in range(min(_LONGEST_NAME, n - i), 0, -1):
                if " ".join(words[i : i + k]) in begun:
                    count, step = count + 1, k
                    break
        elif word.endswith("s") and word[:-1] in index.get(word[:-1], {}):
            count += 1
        i += step
    return count


def mention_names(*, options: bool) -> tuple[str, ...]:
    """Names of the features of :func:`mentions`, in order."""
    places = ["body", "ask", "before ask"] + (["options", "whole options"] if options else [])
    return tuple(f"{kind} in {place}" for kind in KINDS for place in places)


def mentions(q: Question, *, options: bool) -> list[float]:
    """How often the body, the asking sentence and the sentence before it name something of each
    kind; the share of options that do, and of those that are nothing but such a name."""
    from math import log1p

    body, ask = tokens(q.body), tokens(q.ask)
    before = tokens(q.body.rstrip(" .?!\n").rpartition(". ")[2])
    split = [tokens(option) for option in q.options] if options else []
    n = max(len(split), 1)
    found: list[float] = []
    for index in names():
        found.append(log1p(_matches(body, index)))
        found.append(float(_matches(ask, index)))
        found.append(float(_matches(before, index)))
        if options:
            found.append(sum(_matches(words, index) > 0 for words in split) / n)
            whole = sum(bool(w) and " ".join(w) in index.get(w[0], {}) for w in split)
            found.append(whole / n)
    return found
