"""Sentences of a question: where they end, and which of them state a finding."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

__all__ = ["is_finding", "nameable", "sentences", "words"]

_END = re.compile(r"[.!?]+[\"”’)\]]*(?=\s+[\"“‘(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:dr|drs|mr|mrs|ms|prof|st|vs|e\.g|i\.e|etc|approx|ca|cf|al|fig|no|nos|spp?|ssp"
    r"|dept|inc)$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\(?(?:[A-Za-z]|[IVXivx]{1,4}|\d{1,2})\)?$")
_WORD = re.compile(r"\w+")
_ASKS = re.compile(
    r"\b(?:which|what|who|how (?:many|much|would)|following|most (?:likely|probable|appropriate)"
    r"|next (?:best )?step|except|choose|select|mark|true|false|options?|answers?)\b",
    re.IGNORECASE,
)
_LIST = re.compile(r"(?:^|[\s(])[A-Ja-j1-9][.)]\s")
_NEAR = 8
"""Characters before a full stop that are looked at: more than an abbreviation or a label has."""
_SHORTEST, _LONGEST = 30, 200
"""Characters of a sentence that is worth quoting."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, blank space between them left out.

    A full stop after an abbreviation or a title is no end, nor is the one of a label ("II. Heart").
    """
    spans, start = [], len(text) - len(text.lstrip())
    for match in _END.finditer(text):
        if text[match.start()] == ".":
            near = max(start, match.start() - _NEAR)
            line = max(near, text.rfind("\n", near, match.start()) + 1)
            tail = text[near : match.start()]
            if _ABBREVIATION.search(tail) or _LABEL.match(text, line, match.start()):
                continue
        spans.append((start, match.end()))
        start = match.end()
        while start < len(text) and text[start].isspace():
            start += 1
    end = len(text.rstrip())
    if start < end:
        spans.append((start, end))
    return spans


def words(text: str) -> str:
    """The words of a text in lower case, one space on either side of each."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def nameable(options: Iterable[str], vocabulary: Collection[str]) -> list[str]:
    """:func:`words` of the options that a text of this vocabulary might name; most are not."""
    return [
        words(option)
        for option in options
        if (first := _WORD.search(option)) and first[0].lower() in vocabulary
    ]


def is_finding(sentence: str, options: Collection[str]) -> bool:
    """Whether a sentence states something and can be quoted without a hint at any option.

    Parameters
    ----------
    sentence : str
        One of a question.
    options : collection of str
        :func:`words` of the options.
    """
    if not (_SHORTEST <= len(sentence) <= _LONGEST and sentence.endswith(".")):
        return False
    if "\n" in sentence or '"' in sentence or "“" in sentence:
        return False
    if _ASKS.search(sentence) or _LIST.search(sentence):
        return False
    said = words(sentence)
    return not any(option in said for option in options if len(option) > 4)
