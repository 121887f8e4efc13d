"""Other evaluations' rules for reading a letter, in our own words.

They are here to show how far an accuracy moves with the reader, not to be used: all of them
guess. Each is a plain function ``(text, options) -> letter | None``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from viva.records import LETTERS

__all__ = [
    "PEERS",
    "first_match",
    "guess_on_fail",
    "last_match",
    "mirage",
    "mirage_guess_a",
    "most_similar",
]

_SPLITS = ("## Final Response\n\n", "</think>")
_ANNOUNCED = re.compile(r"answer is\s*([A-N])")
_SIMILARITY_WINDOW = 4000


@lru_cache(maxsize=32)
def _lone_letter(count: int) -> re.Pattern[str]:
    """A letter between non-word characters (or CJK), an *A* before a blank left out."""
    letters = LETTERS[: min(count, 14)]
    return re.compile(
        rf"(?:[\u4e00-\u9fff]|is |\W|^)(?![aA] )([{letters}])(?=\W|[\u4e00-\u9fff]|$)"
    )


def _answer_part(text: str) -> str:
    for mark in _SPLITS:
        if mark in text:
            return text.rsplit(mark, 1)[1]
    return text


def _letters(text: str, options: Sequence[str]) -> list[str]:
    part = _answer_part(text)
    return _ANNOUNCED.findall(part) or _lone_letter(len(options)).findall(part)


def _by_text(text: str, options: Sequence[str], *, last: bool) -> str | None:
    part = _answer_part(text).lower()
    places = [
        (part.rfind(option.lower()) if last else part.find(option.lower()), letter)
        for letter, option in zip(LETTERS, options, strict=False)
        if option and option.lower() in part
    ]
    if not places:
        return None
    return (max(places) if last else min(places))[1]


def first_match(text: str, options: Sequence[str]) -> str | None:
    """The first *answer is X*, else the first lone letter, else the option text that comes first.

    Source: the published scorer of HuatuoGPT-o1, its "first" branch (with the sorting mended),
    without its last resort, which is :func:`most_similar`.
    """
    letters = _letters(text, options)
    return letters[0] if letters else _by_text(text, options, last=False)


def last_match(text: str, options: Sequence[str]) -> str | None:
    """As :func:`first_match` with the last of each.

    Source: the same scorer's "last" branch; m1 reports this one only.
    """
    letters = _letters(text, options)
    return letters[-1] if letters else _by_text(text, options, last=True)


def guess_on_fail(text: str, options: Sequence[str]) -> str | None:
    """The last match, and A where there is none.

    Source: the habit of many evaluation scripts, MIRAGE's among them, to return the first letter.
    """
    return last_match(text, options) or "A"


# MIRAGE tries these in turn on what follows the last answer_choice field; the first hit counts.
_MIRAGE = tuple(
    re.compile(pattern)
    for pattern in (
        r"^\s*([A-D])$",
        r"^\s*([A-D]) or",
        r"^\s*([A-D]) and",
        r"^\s*([A-D])/",
        r"^\s*([A-D]),",
        r"[Oo]ption ([A-D])",
        r":\s*([A-D])",
        r"^\s*([A-D])\.",
        r'^\s*([A-D])"',
        r"^\s*([A-D]):",
    )
)


def mirage(text: str, options: Sequence[str]) -> str | None:  # noqa: ARG001
    """MIRAGE's rule without its guess: None where no template fits.

    What follows the last ``"answer_choice": "`` is searched with ten templates in order.
    Source: Teddy-XiongGZ/MIRAGE, ``src/utils.py`` and ``src/evaluate.py``.
    """
    field = text.rsplit('"answer_choice": "', 1)[-1].strip()
    for pattern in _MIRAGE:
        found = pattern.search(field)
        if found:
            return found[1]
    return None


def mirage_guess_a(text: str, options: Sequence[str]) -> str | None:
    """MIRAGE's rule as published: A where no template fits."""
    return mirage(text, options) or "A"


def most_similar(text: str, options: Sequence[str]) -> str | None:
    """The option whose text is most similar to the answer by difflib; of equals, the last.

    Source: the last resort of HuatuoGPT-o1's scorer. Only the last 4,000 characters are compared,
    since the time of difflib grows with the square of the length.
    """
    part = _answer_part(text).lower()[-_SIMILARITY_WINDOW:]
    matcher = difflib.SequenceMatcher(None, b=part)  # indexes the text once for all options
    ratios: list[tuple[float, str]] = []
    for letter, option in zip(LETTERS, options, strict=False):
        matcher.set_seq1(option.lower())
        ratios.append((matcher.ratio(), letter))
    return max(ratios)[1] if ratios else None


PEERS: Mapping[str, Callable[[str, Sequence[str]], str | None]] = MappingProxyType(
    {
        "first_match": first_match,
        "last_match": last_match,
        "guess_on_fail": guess_on_fail,
        "mirage": mirage,
        "mirage_guess_a": mirage_guess_a,
        "most_similar": most_similar,
    }
)
"""The peers' rules by name."""
